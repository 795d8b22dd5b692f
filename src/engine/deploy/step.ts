import type { Plan } from '../../domain/plans/plan.ts'
import type { StackKey } from '../../domain/stacks/stack.ts'
import type { Queries } from '../../store/database/context.ts'
import type { MergeRequest } from '../../store/changes/merge-requests.ts'
import { getRun } from '../../store/runs/runs.ts'
import { previewsOf } from '../merge-requests/previews.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'

/** One commit of the default branch that is enacted: a merge, or a push past the gates. */
export interface Step {
  repositoryId: string
  commitOid: string
  mergeSequence: number
  mr: MergeRequest | null
  before: Snapshot
  after: Snapshot
}

/** The plan that was on the MR when it was merged is the approved one: the gate was open, or someone bypassed it. */
export async function approvalOf(
  tx: Queries,
  mr: MergeRequest | null,
  key: StackKey,
): Promise<{ approvedDigest: string; approvedPlan: Plan; approvedById?: string } | Record<string, never>> {
  const runId = mr && previewsOf(mr)[key]?.runId
  const preview = runId ? await getRun(tx, runId) : undefined
  if (!preview?.plan || preview.state !== 'succeeded') return {}
  const approvedById = mr?.mergedById ?? undefined
  return { approvedDigest: preview.plan.digest, approvedPlan: preview.plan, ...(approvedById && { approvedById }) }
}
