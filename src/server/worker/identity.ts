import { decodeJwt, importJWK, jwtVerify, errors as joseErrors } from 'jose'
import { TOKEN_AUDIENCE } from '../../domain/wire/worker-protocol.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import type { ServerParts } from '../parts.ts'
import { getWorker, touchWorker } from '../../store/workers/workers.ts'
import { createReplayGuard } from './replay-guard.ts'

/** Longest life of a worker's token, seconds: workers sign a new one for each request. */
export const MAX_TOKEN_AGE_S = 60
const CLOCK_TOLERANCE_S = 30

/** Tells which worker is behind an `authorization` header. */
export interface WorkerIdentity {
  verify(authorization: string | undefined): Promise<string>
  /** UNAUTHENTICATED once a worker that was verified before is revoked. */
  assertTrusted(workerId: string): Promise<void>
}

/**
 * Workers prove themselves with short JWTs (EdDSA, RFC 8037) signed by the key whose public half they enrolled: `iss` is
 * the worker's id, `aud` is `trueup-worker`, at most 60 s between `iat` and `exp`, and each `jti` works once.
 */
export function createWorkerIdentity({ store }: Pick<ServerParts, 'store'>): WorkerIdentity {
  const replays = createReplayGuard()
  const trusted = async (workerId: string | undefined) => {
    const worker = workerId === undefined ? undefined : await getWorker(store.db, workerId)
    if (!worker) throw refused('no worker of that id is enrolled here')
    if (worker.revokedAt !== null) throw refused(`worker "${worker.name}" was revoked`)
    return worker
  }
  return {
    assertTrusted: async (workerId) => void (await trusted(workerId)),
    async verify(authorization) {
      const token = authorization?.match(/^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/i)?.[1]
      if (!token) throw refused('the request carries no signed worker token')
      const worker = await trusted(issuerOf(token))
      const now = store.clock.now()
      const claims = await verifySignature(token, worker.publicKey, now)
      if (!replays.firstUse(`${worker.id} ${claims.jti}`, (claims.exp + CLOCK_TOLERANCE_S) * 1000, now)) {
        throw refused('this token was used before')
      }
      await touchWorker(store.db, worker.id)
      return worker.id
    },
  }
}

async function verifySignature(token: string, publicKey: object, now: number): Promise<{ jti: string; exp: number }> {
  try {
    const key = await importJWK(publicKey, 'EdDSA')
    const { payload } = await jwtVerify(token, key, {
      algorithms: ['EdDSA'],
      audience: TOKEN_AUDIENCE,
      requiredClaims: ['iss', 'iat', 'exp', 'jti'],
      maxTokenAge: MAX_TOKEN_AGE_S,
      clockTolerance: CLOCK_TOLERANCE_S,
      currentDate: new Date(now),
    })
    const { jti, exp, iat } = payload as { jti: string; exp: number; iat: number }
    if (exp - iat > MAX_TOKEN_AGE_S)
      throw refused(`it is valid for ${exp - iat} s, at most ${MAX_TOKEN_AGE_S} s are accepted`)
    return { jti, exp }
  } catch (error) {
    if (error instanceof TrueupError) throw error
    if (error instanceof joseErrors.JWTExpired)
      throw refused('its token has expired; compare the clocks of worker and server')
    if (error instanceof joseErrors.JOSEError) throw refused(error.message)
    throw error
  }
}

function issuerOf(token: string): string | undefined {
  try {
    return decodeJwt(token).iss
  } catch {
    return undefined
  }
}

const refused = (why: string): TrueupError =>
  new TrueupError('UNAUTHENTICATED', {
    doing: 'checking who this worker is',
    why,
    next: 'Enrol the worker with a new token: `trueup worker enrol`.',
  })
