import { CHANGING_KINDS, LEASED_STATES } from '../../domain/runs/run.ts'
import type { Queries, Tx } from '../../store/database/context.ts'
import { getRun, listRuns, type Run, transitionRun } from '../../store/runs/runs.ts'
import { requireStack, type Stack } from '../../store/stacks/stacks.ts'
import { SYSTEM } from '../parts.ts'
import { specOfRun } from '../run-spec.ts'

/** Reason of drift checks whose finding says nothing, because the stack was changed while they looked. */
export const OVERTAKEN = 'overtaken'

/** Whether something changed the stack, or has begun to, since this check began. */
export async function changedMeanwhile(tx: Queries, check: Run): Promise<boolean> {
  const stack = await requireStack(tx, check.stackId)
  if (stack.deployedCommit !== check.commitOid) return true
  if (stack.moves !== check.movesSeen) return true
  const filter = { stackId: stack.id, kinds: CHANGING_KINDS, states: LEASED_STATES }
  return (await listRuns(tx, filter, { limit: 1 })).items.length > 0
}

/**
 * Whether a heal that begins now still overwrites drift from what is deployed. It may have waited (backoff, freeze, its
 * worker was lost) while a newer merge was deployed, broke the stack or removed it, and would undo that.
 */
export function isOvertakenHeal(stack: Stack, heal: Run): boolean {
  // A heal whose worker was lost while applying has broken the stack itself: the one that follows it mends that.
  const broken = stack.brokenByRunId !== null && stack.brokenByRunId !== heal.retryOfRunId
  return broken || stack.desiredCommit === null || stack.deployedCommit !== heal.commitOid
}

/**
 * Takes back heals of a stack that have not begun: what they were to overwrite is gone, or may be as it is. Returns whether
 * there was one.
 */
export async function withdrawHeals(
  tx: Tx,
  stackId: string,
  reason: 'drift_gone' | 'drift_accepted',
): Promise<boolean> {
  const states = ['queued', 'awaiting_approval'] as const
  const { items } = await listRuns(tx, { stackId, kinds: ['heal'], states }, { limit: 100 })
  let withdrawn = false
  for (const { id } of items) {
    // What a person asked for is not asked for because of drift.
    if (reason === 'drift_gone' && specOfRun((await getRun(tx, id))!).request) continue
    await transitionRun(tx, { runId: id, to: 'superseded', reason, actor: SYSTEM })
    withdrawn = true
  }
  return withdrawn
}
