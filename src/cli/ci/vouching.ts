import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { z } from 'zod'
import type { Plan } from '../../domain/plans/plan.ts'
import { Coverage, ResourceChange } from '../../domain/wire/plan-parts.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import type { PipelineKey } from './key.ts'

/** A plan as it is vouched for: the digest decides, the rest says what differs. */
const VouchedPlan = z.object({
  digest: z.string(),
  desiredDigest: z.string(),
  /** Left out where there is no room. */
  more: z
    .object({
      changes: z.array(ResourceChange),
      coverage: Coverage,
      toolVersions: z.record(z.string(), z.string()),
    })
    .optional(),
})
export type VouchedPlan = z.infer<typeof VouchedPlan>

/** What a pipeline that holds the key says that it has planned. */
const Vouched = z.object({
  version: z.literal(1),
  /** Where: another repository with the same key vouches for nothing here. */
  repository: z.string(),
  /** Number of the merge request; null where there is none. */
  change: z.int().nullable(),
  head: z.string(),
  target: z.string().nullable(),
  /** By stack. */
  plans: z.record(z.string(), VouchedPlan),
})
export type Vouched = z.infer<typeof Vouched>

const MARK = /<!-- trueup-vouched: ([\w-]+\.[\w-]+\.[\w-]+) -->/g
/** Of the text of one comment, which may have 65,536 characters on the strictest forge. */
const MOST_CHARS = 30_000
const MOST_WITHOUT_PLANS = 44_000
/** What a signed text may unfold to. */
const MOST_BYTES = 16 * 1024 * 1024

/** The signed words, invisible in Markdown. */
export const vouchingMark = (token: string): string => `<!-- trueup-vouched: ${token} -->`

/** The signed words of a comment or a file; null where there are none. Ours stand last, after what plans may hold. */
export const vouchingIn = (text: string): string | null => [...text.matchAll(MARK)].at(-1)?.[1] ?? null

/**
 * Signs plans. `short`: it has to fit into a comment, where whole plans give way to their digests. TOO_LARGE where not even
 * those fit.
 */
export async function vouch(
  key: PipelineKey,
  about: Omit<Vouched, 'version' | 'plans'>,
  plans: ReadonlyMap<string, Plan>,
  { short }: { short: boolean },
): Promise<string> {
  const signed = (whole: boolean): Promise<string> => {
    const all = Object.fromEntries([...plans].map(([stack, plan]) => [stack, vouchedOf(plan, whole)]))
    return key.sign(deflateRawSync(JSON.stringify({ version: 1, ...about, plans: all })))
  }
  const whole = await signed(true)
  if (!short || whole.length <= MOST_CHARS) return whole
  const digests = await signed(false)
  if (digests.length <= MOST_WITHOUT_PLANS) return digests
  throw new TrueupError('TOO_LARGE', {
    doing: 'signing the plans',
    why: `${plans.size} plans do not fit into a comment`,
    next: 'Split the merge request.',
  })
}

/** What was vouched for; null where the signature is not of this key. */
export async function vouchedBy(key: PipelineKey, token: string): Promise<Vouched | null> {
  const payload = await key.verify(token)
  if (payload === null) return null
  return Vouched.parse(JSON.parse(inflateRawSync(payload, { maxOutputLength: MOST_BYTES }).toString('utf8')))
}

function vouchedOf({ digest, desiredDigest, changes, coverage, toolVersions }: Plan, whole: boolean): VouchedPlan {
  return { digest, desiredDigest, ...(whole && { more: { changes, coverage, toolVersions } }) }
}
