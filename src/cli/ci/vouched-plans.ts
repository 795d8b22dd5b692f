import { comparePlans, describeDifference } from '../../domain/plans/compare.ts'
import type { Plan } from '../../domain/plans/plan.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import type { PipelineChange } from '../../forges/pipeline.ts'
import { keyMissing } from './key.ts'
import type { Pipeline } from './pipeline.ts'
import { type Vouched, type VouchedPlan, vouchedBy, vouchingIn } from './vouching.ts'

/** Marks the comment of `trueup ci plan` on a merge request. */
export const COMMENT = 'ci'

/** Commits of one merge request that the forge is asked about. */
const MOST_COMMITS = 100

/** Who vouches for the plan of a stack; throws why nobody does: CI_NOT_VOUCHED, CI_FORGED, CI_KEY. */
export type Vouchers = (stack: string) => Promise<VouchedPlan>

/** A file that `trueup ci plan --plan-file` has written: it vouches for exactly one commit. */
export async function fileVoucher(
  { key, surroundings: { repository } }: Pick<Pipeline, 'key' | 'surroundings'>,
  text: string,
  { file, commit }: { file: string; commit: string },
): Promise<Vouchers> {
  const doing = `reading the plans of ${file}`
  if (key === null) throw keyMissing(doing)
  const token = vouchingIn(text)
  if (token === null) throw new TrueupError('CI_NOT_VOUCHED', { doing, why: 'it was written without the key' })
  const vouched = await vouchedBy(key, token)
  if (vouched === null) throw new TrueupError('CI_FORGED', { doing, why: 'the signature is not of this key' })
  if (vouched.repository !== repository)
    throw new TrueupError('CI_FORGED', { doing, why: `it is about the repository ${vouched.repository}` })
  if (vouched.head !== commit)
    throw new TrueupError('CI_NOT_VOUCHED', {
      doing,
      why: `it is about commit ${vouched.head.slice(0, 12)} and not ${commit.slice(0, 12)}`,
    })
  return async (stack) => planOf(vouched, stack, file)
}

/**
 * Comments on the merge requests that brought what is to be deployed: of each stack the newest merge that changed it.
 * `broughtBy`: the commit that brought it, and the newer ones of the branch after it.
 */
export function commentVoucher(
  { key, forge, surroundings: { repository } }: Pick<Pipeline, 'key' | 'forge' | 'surroundings'>,
  broughtBy: (stack: string) => Promise<readonly string[]>,
): Vouchers {
  const known = new Map<string, Promise<Vouched>>()
  return async (stack) => {
    const doing = `looking who vouches for the plan of ${stack}`
    if (key === null) throw keyMissing(doing)
    if (forge === null)
      throw new TrueupError('CI_NOT_VOUCHED', {
        doing,
        why: 'there is no forge to ask: no token is set',
        next: 'Set TRUEUP_CI_TOKEN, or give --plan-file.',
      })
    const commits = await broughtBy(stack)
    const commit = commits[0]!
    const found = known.get(commit) ?? ofMerge(commits)
    known.set(commit, found)
    return planOf(await found, stack, `the comment on the merge request of ${commit.slice(0, 12)}`)
  }

  async function mergedAs(commits: readonly string[]): Promise<PipelineChange | null> {
    for (const commit of commits.slice(0, MOST_COMMITS)) {
      const change = await forge!.mergedAs(commit)
      if (change) return change
    }
    return null
  }

  async function ofMerge(commits: readonly string[]): Promise<Vouched> {
    const doing = `looking who vouches for ${commits[0]!.slice(0, 12)}`
    const change = await mergedAs(commits)
    if (change === null)
      throw new TrueupError('CI_NOT_VOUCHED', { doing, why: 'no merge request was merged as this commit' })
    const which = `merge request ${change.number}`
    const tokens = (await forge!.marked(change.number, COMMENT)).flatMap((body) => vouchingIn(body) ?? [])
    if (tokens.length === 0)
      throw new TrueupError('CI_NOT_VOUCHED', {
        doing,
        why: `no comment on ${which} holds a signed plan: its pipeline had no key`,
      })
    const all = await Promise.all(tokens.map((token) => vouchedBy(key!, token)))
    const signed = all.filter((vouched) => vouched !== null)
    if (signed.length === 0)
      throw new TrueupError('CI_FORGED', { doing, why: `the comment on ${which} is not signed with this key` })
    const own = signed.filter((vouched) => vouched.repository === repository && vouched.change === change.number)
    if (own.length === 0)
      throw new TrueupError('CI_FORGED', {
        doing,
        why: `the comment on ${which} was signed for ${signed[0]!.repository}, ${numberOf(signed[0]!)}`,
      })
    const fresh = own.find(({ head }) => head === change.headOid)
    if (fresh) return fresh
    const why = `${which} was planned at ${own[0]!.head.slice(0, 12)} and merged at ${change.headOid.slice(0, 12)}`
    throw new TrueupError('CI_NOT_VOUCHED', { doing, why })
  }
}

const numberOf = ({ change }: Vouched): string => (change === null ? 'no merge request' : `merge request ${change}`)

function planOf({ plans }: Vouched, stack: string, where: string): VouchedPlan {
  const found = Object.hasOwn(plans, stack) ? plans[stack] : undefined
  if (found) return found
  throw new TrueupError('CI_NOT_VOUCHED', {
    doing: `looking who vouches for the plan of ${stack}`,
    why: `${where} has no good plan of it`,
  })
}

/** Whether a plan is what was vouched for, or strictly less of it. CI_PLAN_CHANGED with what differs. */
export function assertVouched(stack: string, plan: Plan, vouched: VouchedPlan): void {
  if (plan.digest === vouched.digest) return
  const doing = `comparing the plan of ${stack} with the one that is vouched for`
  if (!vouched.more)
    throw new TrueupError('CI_PLAN_CHANGED', { doing, why: `its digest is ${plan.digest} and not ${vouched.digest}` })
  const approved = { ...plan, ...vouched.more, desiredDigest: vouched.desiredDigest, digest: vouched.digest } as Plan
  const { verdict, differences } = comparePlans(approved, plan)
  if (verdict !== 'different') return
  const shown = differences.slice(0, 5).map(describeDifference).join('; ')
  const more = differences.length > 5 ? ` (and ${differences.length - 5} more)` : ''
  throw new TrueupError('CI_PLAN_CHANGED', { doing, why: `${shown || 'the digests differ'}${more}` })
}
