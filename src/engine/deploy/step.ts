import type { Plan } from '../../domain/plans/plan.ts'
import type { StackKey } from '../../domain/stacks/stack.ts'
import type { Queries } from '../../store/database/context.ts'
import type { MergeRequest } from '../../store/changes/merge-requests.ts'
import { getRuns } from '../../store/runs/runs.ts'
import { previewsOf } from '../merge-requests/previews.ts'
import type { SignedUpTo } from '../signatures/history.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'

/** One commit of the default branch that is enacted: a merge, or a push past the gates. */
export interface Step {
  repositoryId: string
  commitOid: string
  mergeSequence: number
  mr: MergeRequest | null
  /** Environments in which the merge went past its gate. */
  unapproved: ReadonlySet<string>
  /** Environments that refuse the commit, since it is not signed as they ask. */
  signedUpTo: SignedUpTo
  /** The commit whose rules hold from here on, where this one has others that came past the gate; null where its own do. */
  rulesAt: string | null
  before: Snapshot
  after: Snapshot
  /** A process that was killed may have written a part of it already. */
  resumed: boolean
}

/** What the run of a stack remembers of a commit that its environment refuses. */
export const unsignedBy = ({ signedUpTo, commitOid }: Step, environment: string): { unsigned?: string } =>
  Object.hasOwn(signedUpTo, environment) ? { unsigned: commitOid } : {}

export type Approval = { approvedDigest: string; approvedPlan: Plan; approvedById?: string } | Record<string, never>

/**
 * The plans that were on the MR when it was merged are the approved ones: the gate was open, or someone bypassed it. None in
 * environments in which it was merged past the gate.
 */
export async function approvalsOf(
  tx: Queries,
  { mr, unapproved }: Pick<Step, 'mr' | 'unapproved'>,
  keys: readonly StackKey[],
): Promise<Map<StackKey, Approval>> {
  const approvals = new Map<StackKey, Approval>()
  if (!mr) return approvals
  const previews = previewsOf(mr)
  const gated = keys.filter((key) => !unapproved.has(key.slice(0, key.indexOf('/'))))
  const planned = new Map(gated.map((key) => [key, previews[key]?.runId ?? null]))
  const runs = await getRuns(
    tx,
    [...planned.values()].filter((id) => id !== null),
  )
  const approvedById = mr.mergedById ?? undefined
  for (const [key, runId] of planned) {
    const preview = runId === null ? undefined : runs.get(runId)
    if (!preview?.plan || preview.state !== 'succeeded') continue
    const { plan } = preview
    approvals.set(key, { approvedDigest: plan.digest, approvedPlan: plan, ...(approvedById && { approvedById }) })
  }
  return approvals
}
