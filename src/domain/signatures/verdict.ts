import type { ErrorCode } from '../../lib/errors/table.ts'
import { REFUSED, type Refusal } from './refusals.ts'
import type { CommitSignature } from './signature.ts'
import type { Signer } from './signers.ts'

/** Whether a commit counts as signed, and why, in words. */
export interface Verdict {
  accepted: boolean
  code: ErrorCode | null
  why: string
  signer: string | null
  key: string | null
}

export interface Times {
  /** When the commit itself says that it was made, which whoever signs is free to choose. */
  committedAt: number
  /** When it certainly was there: it was merged then, or is looked at now. */
  knownAt: number
}

/**
 * Judges what Git says of a commit by the keys that count. A key counts for a commit that says it was made while the key was
 * valid and that had come before the key ended: whoever keeps a key that has ended dates nothing back.
 */
export function judgeSignature(found: CommitSignature, signers: readonly Signer[], times: Times): Verdict {
  if (found.status === 'none') return refused(REFUSED.none, null)
  const { status, key } = found
  if (status === 'bad' || status === 'revoked') return refused(REFUSED[status], key)
  if (status === 'expired' && !found.keyExpired) return refused(REFUSED.expired, key)
  const own = signers.filter((signer) => signer.key === key)
  // Revoked in one place is revoked, whatever the other says of the same key.
  const gone = own.find(({ revoked }) => revoked !== null && latest(times) >= revoked)
  if (gone) return refused({ code: 'SIGNER_REVOKED', why: revokedText(gone) }, key, gone.name)
  const verdicts = own.map((signer) => ({ signer, why: whyNot(signer, found.subkey ?? key, times) }))
  const good = verdicts.find(({ why }) => why === null)
  if (good) {
    const { name } = good.signer
    return { accepted: true, code: null, why: `signed by ${name} (${key})`, signer: name, key }
  }
  const [first] = verdicts
  if (first) return refused({ code: 'SIGNER_EXPIRED', why: first.why! }, key, first.signer.name)
  return refused(REFUSED.unknown, key)
}

const latest = ({ committedAt, knownAt }: Times): number => Math.max(committedAt, knownAt)

function whyNot({ name, from, until, left, expiries }: Signer, signing: string, times: Times): string | null {
  const { committedAt } = times
  if (from !== null && committedAt < from)
    return `it was signed on ${day(committedAt)}, and the key of ${name} counts from ${day(from)} on`
  const expiry = expiries?.[signing] ?? null
  if (expiry !== null && committedAt >= expiry) return `the key of ${name} expired on ${day(expiry)}`
  if (left !== null && latest(times) >= left)
    return `the account of ${name} was disabled on ${day(left)}, before this came`
  if (until !== null && latest(times) >= until)
    return `the key of ${name} counts until ${day(until)}, and this came later`
  return null
}

const revokedText = ({ name, revoked }: Signer): string =>
  revoked === 0 ? `the key of ${name} was revoked` : `the key of ${name} was revoked as of ${day(revoked!)}`

const refused = ({ code, why }: Refusal, key: string | null, signer: string | null = null): Verdict => ({
  accepted: false,
  code,
  why: key === null || signer !== null ? why : `${why} (${key})`,
  signer,
  key,
})

const day = (at: number): string => new Date(at).toISOString().slice(0, 10)
