import { createPrivateKey, createPublicKey, generateKeyPairSync, randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { SignJWT } from 'jose'
import { z } from 'zod'
import { TrueupError } from '../lib/errors/error.ts'
import { writeDurably } from '../lib/durable-file.ts'
import { EnrolRequest, TOKEN_AUDIENCE } from './protocol.ts'

const TOKEN_SECONDS = 45

const Stored = z.object({ privateKey: z.string(), workerId: z.string().optional() })

/** The worker's own key; the server knows its public half only. */
export interface Identity {
  /** Absent until the worker is enrolled. */
  readonly workerId: string | undefined
  readonly publicKey: EnrolRequest['publicKey']
  /** Remembers the id that the server gave. */
  enrolled(workerId: string): Promise<void>
  /** A signed token for one request, valid for less than a minute. */
  token(): Promise<string>
  /** The server's time, as far as it is known. */
  now(): number
  /** Learns the server's time from an answer, for a host whose clock is wrong. */
  serverTime(now: number): void
}

/**
 * Reads the key, or makes it. It is on disk before the enrolment, so an enrolment whose answer is lost can be repeated
 * with the same key and gets the same id.
 */
export async function loadIdentity(file: string): Promise<Identity> {
  const stored = await readStored(file)
  const privateKey = stored ? createPrivateKey(stored.privateKey) : generateKeyPairSync('ed25519').privateKey
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  if (!stored) await writeDurably(file, JSON.stringify({ privateKey: pem }), 0o600)
  const { kty, crv, x } = createPublicKey(privateKey).export({ format: 'jwk' })
  let workerId = stored?.workerId
  let clockOffset = 0
  const identity: Identity = {
    get workerId() {
      return workerId
    },
    publicKey: EnrolRequest.shape.publicKey.parse({ kty, crv, x }),
    async enrolled(id) {
      await writeDurably(file, JSON.stringify({ privateKey: pem, workerId: id }), 0o600)
      workerId = id
    },
    async token() {
      if (workerId === undefined)
        throw new TrueupError('UNAUTHENTICATED', {
          doing: 'signing in at the server',
          why: 'this worker is not enrolled',
          next: 'Start it once with --token and an enrolment token (`trueup worker enrol`).',
        })
      const now = Math.floor(identity.now() / 1000)
      return await new SignJWT()
        .setProtectedHeader({ alg: 'EdDSA' })
        .setIssuer(workerId)
        .setAudience(TOKEN_AUDIENCE)
        .setIssuedAt(now)
        .setExpirationTime(now + TOKEN_SECONDS)
        .setJti(randomUUID())
        .sign(privateKey)
    },
    now: () => Date.now() + clockOffset,
    serverTime(now) {
      clockOffset = now - Date.now()
    },
  }
  return identity
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
