import { decodeJwt, decodeProtectedHeader, errors as joseErrors, importJWK, jwtVerify, type JWTPayload } from 'jose'
import {
  CLOCK_TOLERANCE_MS,
  clockSkewText,
  RequestClaims,
  TOKEN_AUDIENCE,
  TOKEN_MAX_S,
  type WorkerProof,
} from '../../domain/wire/request-proof.ts'
import { WORKER_PATHS } from '../../domain/wire/worker-protocol.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import type { ServerParts } from '../parts.ts'
import { type KnownWorker, knownWorkers } from '../../store/workers/known.ts'
import { lastSeen } from '../../store/workers/last-seen.ts'
import { createReplayGuard } from './replay-guard.ts'

/** What a proof has to fit. */
export interface ProvenRequest {
  authorization: string | undefined
  method: string
  /** Path and query, as they came. */
  path: string
}

/** Tells which worker is behind a request. */
export interface WorkerIdentity {
  /** UNAUTHENTICATED, CLOCK_SKEWED or REQUEST_REPLAYED. The body is compared by whoever reads it. */
  verify(request: ProvenRequest): Promise<WorkerProof>
  /** UNAUTHENTICATED once a worker that was verified before is revoked, or its key counts no longer. */
  assertTrusted(proof: Pick<WorkerProof, 'workerId' | 'keyId'>): Promise<void>
}

/** Workers prove each request by a signature of their own key: `domain/wire/request-proof.ts` says over what. */
export function createWorkerIdentity({ store }: Pick<ServerParts, 'store'>): WorkerIdentity {
  const replays = createReplayGuard()
  const workers = knownWorkers(store)
  const counts = ({ until }: KnownWorker['keys'][number]): boolean => until === null || store.clock.now() < until
  // What was used before this process began nobody remembers: proofs from then count as used.
  const startedAt = store.clock.now()
  const trusted = async (workerId: string | undefined): Promise<KnownWorker> => {
    const worker = workerId === undefined ? undefined : await workers.get(workerId)
    if (!worker) throw refused('no worker of that id is enrolled here')
    if (worker.revokedAt !== null) throw refused(`worker "${worker.name}" was revoked`)
    return worker
  }
  return {
    async assertTrusted({ workerId, keyId }) {
      const worker = await trusted(workerId)
      if (!worker.keys.some((key) => key.id === keyId && counts(key)))
        throw refused(`worker "${worker.name}" has another key now`)
    },
    async verify({ authorization, method, path }) {
      const token = authorization?.match(/^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/i)?.[1]
      if (!token) throw refused('the request carries no signed worker token')
      const { issuer, keyId } = namesIn(token)
      const worker = await trusted(issuer)
      const now = store.clock.now()
      const key = keyId === undefined ? worker.keys[0] : worker.keys.find((each) => each.id === keyId && counts(each))
      if (!key) throw refused(`worker "${worker.name}" has another key now`)
      const claims = await verifySignature(token, key.jwk, now)
      if (signedAt(claims) < startedAt) throw replayed('it was signed before this server started')
      if (!replays.firstUse(`${worker.id} ${claims.jti}`, claims.exp * 1000 + CLOCK_TOLERANCE_MS, now))
        throw replayed('this token was used before')
      const proof = { workerId: worker.id, keyId: key.id, bodySha256: bodyOf(claims, { method, path }) }
      // The first word on a socket says so once more, with all else that a worker says of itself.
      if (path !== WORKER_PATHS.socket) lastSeen(store).note(worker.id)
      return proof
    },
  }
}

type Claims = JWTPayload & { jti: string; exp: number; iat: number; at?: unknown }

async function verifySignature(token: string, publicKey: object, now: number): Promise<Claims> {
  try {
    const key = await importJWK(publicKey, 'EdDSA')
    const { payload } = await jwtVerify(token, key, {
      algorithms: ['EdDSA'],
      audience: TOKEN_AUDIENCE,
      requiredClaims: ['iss', 'iat', 'exp', 'jti'],
      maxTokenAge: TOKEN_MAX_S,
      clockTolerance: CLOCK_TOLERANCE_MS / 1000,
      currentDate: new Date(now),
    })
    const claims = payload as Claims
    const life = claims.exp - claims.iat
    if (life > TOKEN_MAX_S) throw refused(`it is valid for ${life} s, at most ${TOKEN_MAX_S} s are accepted`)
    return claims
  } catch (error) {
    if (error instanceof TrueupError) throw error
    // By now the signature is known to be good, so that the time in it is the worker's.
    const ofTime = error instanceof joseErrors.JWTExpired || error instanceof joseErrors.JWTClaimValidationFailed
    if (ofTime && ['iat', 'exp'].includes(error.claim) && error.reason === 'check_failed')
      throw skewed(Number(error.payload.iat) * 1000 - now)
    if (error instanceof joseErrors.JOSEError) throw refused(error.message)
    throw error
  }
}

/** A token without these claims is an older worker's: nobody but the holder of its key can make one. */
function bodyOf(claims: Claims, request: { method: string; path: string }): WorkerProof['bodySha256'] {
  if (claims['method'] === undefined) return undefined
  const signed = RequestClaims.safeParse(claims)
  if (!signed.success) throw refused('its token does not say which request it is for')
  const { method, path, bodySha256 } = signed.data
  if (method !== request.method || path !== request.path)
    throw refused(`its token was signed for ${method} ${path.split('?')[0]}, and came with another request`)
  return bodySha256 ?? null
}

/** Workers of protocol 1 leave out the milliseconds. Nobody gains by a later time than `iat`: it is used up all the same. */
const signedAt = ({ iat, at }: Claims): number =>
  typeof at === 'number' && Math.floor(at / 1000) - iat <= 1 ? at : iat * 1000 + 999

function namesIn(token: string): { issuer?: string; keyId?: string } {
  try {
    const [{ iss: issuer }, { kid: keyId }] = [decodeJwt(token), decodeProtectedHeader(token)]
    return { ...(issuer !== undefined && { issuer }), ...(keyId !== undefined && { keyId }) }
  } catch {
    return {}
  }
}

const DOING = 'checking who this worker is'
const refused = (why: string): TrueupError =>
  new TrueupError('UNAUTHENTICATED', {
    doing: DOING,
    why,
    next: 'Enrol the worker with a new token: `trueup worker enrol`.',
  })
const replayed = (why: string): TrueupError => new TrueupError('REQUEST_REPLAYED', { doing: DOING, why })

/** CLOCK_SKEWED; positive where the worker's clock is ahead of ours. */
export const skewed = (skewMs: number): TrueupError =>
  new TrueupError('CLOCK_SKEWED', {
    doing: DOING,
    why: `by its clock, which is ${clockSkewText(skewMs, 0)} of the server's, this is no request of now`,
    details: { skewMs: Math.round(skewMs) },
  })
