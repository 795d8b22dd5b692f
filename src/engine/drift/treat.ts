import { driftFromPlan } from '../../domain/drift/records.ts'
import type { Plan } from '../../domain/plans/plan.ts'
import { standingDrift } from '../../store/stacks/drift.ts'
import type { Run } from '../../store/runs/runs.ts'
import { requireStack } from '../../store/stacks/stacks.ts'
import { type EngineParts, SYSTEM } from '../parts.ts'
import { type RunSpec, specOfRun } from '../run-spec.ts'
import { orderHeal } from './heal.ts'
import { OVERTAKEN } from './overtaken.ts'
import { closeCodify, proposeCodify } from './propose.ts'
import { currentDefinition } from './schedule.ts'

/** Treats what a drift check has found by the stack's mode: observe, propose or enforce. */
export async function afterDriftCheck(parts: EngineParts, run: Run): Promise<void> {
  if (run.state !== 'succeeded' || run.reason === OVERTAKEN) return
  const stack = await requireStack(parts.store.db, run.stackId)
  const deployed = stack.deployedConfig as unknown as RunSpec | null
  if (!deployed || stack.deployedCommit !== run.commitOid) return
  const open = (await standingDrift(parts.store.db, stack.id)).some((record) => record.state === 'open')
  if (!open) return await closeCodify(parts, stack)
  const { mode } = currentDefinition(stack, deployed).drift
  // What was open before and could not be looked at now is no reason to write: a heal would not see it either.
  const seen = driftFromPlan(run.plan as Plan).length > 0
  if (mode === 'enforce' && seen) {
    await parts.store.transaction((tx) => orderHeal(tx, run.stackId, { actor: SYSTEM, asked: false }))
  }
  if (mode === 'propose' || specOfRun(run).codifyFor !== undefined) await proposeCodify(parts, run)
}
