import { hkdfSync } from 'node:crypto'
import { CompactSign, compactVerify, exportJWK, generateKeyPair, importJWK } from 'jose'
import { z } from 'zod'
import { TrueupError } from '../../lib/errors/error.ts'

/** Names the variable that holds the key. */
export const KEY_VARIABLE = 'TRUEUP_CI_KEY'

/**
 * What a pipeline vouches with. All of it comes from one Ed25519 key, so that a team keeps one secret: the signature below
 * plans, the key of hashes that stand for sensitive values, and the one that seals outputs kept in the repository.
 */
export interface PipelineKey {
  sign(payload: Uint8Array): Promise<string>
  /** What was signed with this key; null where it was not. */
  verify(token: string): Promise<Uint8Array | null>
  /** Base64, for keyed hashes of sensitive values: a plan is the same in each pipeline that holds the key. */
  hash: string
  /** Base64, for outputs that others need and nobody may read. */
  seal: string
}

const ALGORITHM = 'EdDSA'
const Jwk = z.strictObject({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: z.string(), d: z.string() })

/** A new key in one line, as CI systems keep secrets. */
export async function makeKey(): Promise<string> {
  const { privateKey } = await generateKeyPair(ALGORITHM, { crv: 'Ed25519', extractable: true })
  const { kty, crv, x, d } = await exportJWK(privateKey)
  return Buffer.from(JSON.stringify({ kty, crv, x, d })).toString('base64url')
}

/** Opens what `makeKey` has made. CI_KEY where it is something else. */
export async function openKey(text: string): Promise<PipelineKey> {
  try {
    const jwk = Jwk.parse(JSON.parse(Buffer.from(text.trim(), 'base64url').toString('utf8')))
    const secret = await importJWK(jwk, ALGORITHM)
    const open = await importJWK({ kty: jwk.kty, crv: jwk.crv, x: jwk.x }, ALGORITHM)
    const derived = (what: string): string =>
      Buffer.from(hkdfSync('sha256', Buffer.from(jwk.d, 'base64url'), '', `trueup ci ${what}`, 32)).toString('base64')
    return {
      sign: (payload) => new CompactSign(payload).setProtectedHeader({ alg: ALGORITHM }).sign(secret),
      verify: (token) =>
        compactVerify(token, open, { algorithms: [ALGORITHM] }).then(
          ({ payload }) => payload,
          () => null,
        ),
      hash: derived('hash'),
      seal: derived('seal'),
    }
  } catch {
    // Said without anything of what it holds.
    throw new TrueupError('CI_KEY', { doing: `reading ${KEY_VARIABLE}`, why: 'it is no key of `trueup ci key`' })
  }
}

/** What has to be signed or opened cannot be. */
export const keyMissing = (doing: string): TrueupError =>
  new TrueupError('CI_KEY', { doing, why: `${KEY_VARIABLE} is not set` })
