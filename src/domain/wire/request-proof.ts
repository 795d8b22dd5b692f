import { z } from 'zod'

/**
 * How a worker proves a request: `Authorization: Bearer <JWT>`, signed (EdDSA, RFC 8037) by its own key, over the very
 * request that it goes with, so that whoever reads it on the way can use it for no other. The header's `kid` is the key,
 * `iss` the worker's id, `aud` is `TOKEN_AUDIENCE`; `exp` lies at most `TOKEN_MAX_S` after `iat`, and each `jti` works once. RFC 9449 does the same with `htm` and `htu` for tokens of people.
 */
export const TOKEN_AUDIENCE = 'trueup-worker'
/** Longest life of a proof, seconds. */
export const TOKEN_MAX_S = 60
/** What is signed of the request. */
export const RequestClaims = z.object({
  method: z.string(),
  /** From `/api` on, with the query: what a proxy puts before it is not the server's. */
  path: z.string(),
  /** Base64url SHA-256 of the body; absent where there is none. */
  bodySha256: z.string().optional(),
  /** When it was signed, by the server's time as far as it is known: `iat` with its milliseconds. */
  at: z.number(),
})
export type RequestClaims = z.infer<typeof RequestClaims>

/** Who is behind a request, as its server has verified it. */
export interface WorkerProof {
  workerId: string
  /** The key that signed. */
  keyId: string
  /** Digest that the body must have; null: there must be none; undefined: a worker of protocol 1, which signs no bodies. */
  bodySha256: string | null | undefined
}

/** Clocks this far apart do no harm: proofs are taken as they are. */
export const CLOCK_TOLERANCE_MS = 30_000
/** From here on people are told. */
export const CLOCK_WARN_MS = 5_000
/**
 * A worker whose clock is off by less than this signs by the server's time, which it learns from the `Date` of an answer.
 * With more it is refused: it would judge expiry of keys and windows by a time that is not.
 */
export const CLOCK_LIMIT_MS = 10 * 60_000

/** Whether a proof names its key: the public half itself, as in its JWK (RFC 8037). */
export const keyIdOf = (publicKey: { x?: unknown }): string => String(publicKey.x)

/** After a rotation the former key counts for this long: for requests under way, and an answer that was lost. */
export const KEY_OVERLAP_MS = 10 * 60_000
/** Of the token with which a new key proves that its private half is there. */
export const NEW_KEY_AUDIENCE = 'trueup-worker-key'

/** "42 s ahead", as seen from the server; null where nobody has to know. */
export function clockSkewText(skewMs: number, from = CLOCK_WARN_MS): string | null {
  const off = Math.abs(skewMs)
  if (off < from) return null
  const seconds = Math.round(off / 1000)
  const length =
    seconds < 120
      ? `${seconds} s`
      : seconds < 7_200
        ? `${Math.round(seconds / 60)} min`
        : `${Math.round(seconds / 3_600)} h`
  return `${length} ${skewMs > 0 ? 'ahead' : 'behind'}`
}
