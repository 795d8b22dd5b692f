import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomUUID,
} from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { SignJWT } from 'jose'
import { z } from 'zod'
import { CLOCK_LIMIT_MS, keyIdOf, NEW_KEY_AUDIENCE, TOKEN_AUDIENCE } from '../domain/wire/request-proof.ts'
import { TrueupError } from '../lib/errors/error.ts'
import { writeDurably } from '../lib/durable-file.ts'
import { EnrolRequest } from './protocol.ts'

const TOKEN_SECONDS = 45
/** A `Date` header leaves out the milliseconds: what is signed by it must not seem to be from before the server's start. */
const DATE_ROUNDED_MS = 999

const Stored = z.object({
  privateKey: z.string(),
  workerId: z.string().optional(),
  /** The key of a rotation whose end is not known yet. */
  nextKey: z.string().optional(),
})

type Jwk = EnrolRequest['publicKey']

/** What a proof is made for; the path as in `WORKER_PATHS`. */
export interface ToSign {
  method: string
  path: string
  body?: string | undefined
}

/** Signs requests in a worker's name. */
export interface Signer {
  /** A proof for one request, valid for less than a minute (`domain/wire/request-proof.ts`). */
  token(request: ToSign): Promise<string>
  /**
   * Learns the server's time from the `Date` of an answer, for a host whose clock is wrong. False, and nothing learnt, where
   * it is off by more than can be worked with.
   */
  serverTime(date: number): boolean
  /** The server's time, as far as it is known. */
  now(): number
}

/** A key that is to follow the present one. */
export interface NextKey extends Signer {
  publicKey: Jwk
  /** Signed by the new key itself, for the server. */
  proof(): Promise<string>
}

/** The worker's own key; the server knows its public half only. */
export interface Identity extends Signer {
  /** Absent until the worker is enrolled. */
  readonly workerId: string | undefined
  readonly publicKey: Jwk
  /** A rotation was begun and not brought to its end. */
  readonly isRotating: boolean
  /** Remembers the id that the server gave; what was to follow a former identity's key is forgotten. */
  enrolled(workerId: string): Promise<void>
  /** The key of a rotation that was begun, or a new one; on the disk before anybody hears of it. */
  nextKey(): Promise<NextKey>
  /** From now on the next key is the key; the one before is gone from the disk. */
  adoptNext(): Promise<void>
}

/**
 * Reads the key, or makes it. It is on disk before the enrolment, so an enrolment whose answer is lost can be repeated
 * with the same key and gets the same id.
 */
export async function loadIdentity(file: string): Promise<Identity> {
  const stored = await readStored(file)
  let key = stored ? createPrivateKey(stored.privateKey) : newPrivateKey()
  let next = stored?.nextKey === undefined ? undefined : createPrivateKey(stored.nextKey)
  let workerId = stored?.workerId
  let clockOffset = 0
  let rounded = 0
  const write = (kept: { key: KeyObject; next?: KeyObject | undefined; workerId: string | undefined }) =>
    writeDurably(
      file,
      JSON.stringify({
        privateKey: pemOf(kept.key),
        workerId: kept.workerId,
        ...(kept.next && { nextKey: pemOf(kept.next) }),
      }),
      0o600,
    )
  if (!stored) await write({ key, workerId })

  const signerOf = (current: () => KeyObject): Signer => ({
    async token(request) {
      const id = required(workerId)
      const now = Math.floor(signer.now() / 1000)
      return await new SignJWT({ ...claimsOf(request), at: signer.now() + rounded })
        .setProtectedHeader({ alg: 'EdDSA', kid: keyIdOf(publicOf(current())) })
        .setIssuer(id)
        .setAudience(TOKEN_AUDIENCE)
        .setIssuedAt(now)
        .setExpirationTime(now + TOKEN_SECONDS)
        .setJti(randomUUID())
        .sign(current())
    },
    now: () => Date.now() + clockOffset,
    serverTime(date) {
      const offset = date - Date.now()
      if (Math.abs(offset) > CLOCK_LIMIT_MS) return false
      clockOffset = offset
      rounded = DATE_ROUNDED_MS
      return true
    },
  })
  const signer = signerOf(() => key)
  return {
    ...signer,
    get workerId() {
      return workerId
    },
    get publicKey() {
      return publicOf(key)
    },
    get isRotating() {
      return next !== undefined
    },
    async enrolled(id) {
      await write({ key, workerId: id })
      workerId = id
      next = undefined
    },
    async nextKey() {
      if (!next) {
        const made = newPrivateKey()
        await write({ key, next: made, workerId })
        next = made
      }
      const its = next
      return {
        ...signerOf(() => its),
        publicKey: publicOf(its),
        proof: () =>
          new SignJWT()
            .setProtectedHeader({ alg: 'EdDSA' })
            .setIssuer(required(workerId))
            .setAudience(NEW_KEY_AUDIENCE)
            .setIssuedAt(Math.floor(signer.now() / 1000))
            .sign(its),
      }
    },
    async adoptNext() {
      if (!next) return
      await write({ key: next, workerId })
      key = next
      next = undefined
    },
  }
}

const newPrivateKey = (): KeyObject => generateKeyPairSync('ed25519').privateKey
const pemOf = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString()

function publicOf(key: KeyObject): Jwk {
  const { kty, crv, x } = createPublicKey(key).export({ format: 'jwk' })
  return EnrolRequest.shape.publicKey.parse({ kty, crv, x })
}

const claimsOf = ({ method, path, body }: ToSign) => ({
  method,
  path,
  ...(body !== undefined && { bodySha256: createHash('sha256').update(body).digest('base64url') }),
})

function required(workerId: string | undefined): string {
  if (workerId !== undefined) return workerId
  throw new TrueupError('UNAUTHENTICATED', {
    doing: 'signing in at the server',
    why: 'this worker is not enrolled',
    next: 'Start it once with an enrolment token (`trueup worker enrol`) in a file that is there: --token-file FILE.',
  })
}

async function readStored(file: string): Promise<z.infer<typeof Stored> | null> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw thrown
  }
  try {
    return Stored.parse(JSON.parse(text))
  } catch (cause) {
    throw new TrueupError('DATA_CORRUPT', {
      doing: `reading the worker's key ${file}`,
      why: 'it is not what a runner wrote',
      next: 'Remove the file and enrol this worker again with a new token.',
      cause,
    })
  }
}
