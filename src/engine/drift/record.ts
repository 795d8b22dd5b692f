import { markStable } from '../../domain/drift/backoff.ts'
import { driftFromPlan, reconcileDrift } from '../../domain/drift/records.ts'
import type { Plan } from '../../domain/plans/plan.ts'
import type { Tx } from '../../store/database/context.ts'
import { createDriftRecord, packActions, patchDriftRecord, standingDrift } from '../../store/stacks/drift.ts'
import { nowOf } from '../../store/open.ts'
import type { Run } from '../../store/runs/runs.ts'
import { patchStack, requireStack, type Stack } from '../../store/stacks/stacks.ts'
import { healsOf, healsToJson, type StackHeals } from '../stacks/heal-state.ts'
import { observedOf } from '../stacks/observed.ts'
import { withdrawHeals } from './overtaken.ts'

/** Brings a stack's drift records in line with what a check found, in the transaction that ends the check. */
export async function recordDrift(tx: Tx, run: Run, plan: Plan): Promise<void> {
  const now = nowOf(tx)
  const stack = await requireStack(tx, run.stackId)
  const standing = await standingDrift(tx, run.stackId)
  const items = driftFromPlan(plan)
  const result = reconcileDrift(
    standing.map((record) => ({ ...record, state: record.state as 'open' | 'accepted' })),
    items,
    now,
    plan.coverage.unchecked,
  )
  for (const item of result.opened) {
    await createDriftRecord(tx, {
      stackId: run.stackId,
      address: item.address,
      attribute: item.attribute,
      expected: item.expected,
      actual: item.actual,
      actions: packActions(item.actions),
      state: 'open',
      since: now,
      lastSeenAt: now,
      rightUntil: rightUntil(stack),
      by: item.by,
      healCount: 0,
      runId: run.id,
    })
  }
  for (const { id, state, item, lastSeenAt } of result.updated) {
    const { expected, actual, by } = item
    await patchDriftRecord(tx, id, {
      state,
      expected,
      actual,
      by,
      lastSeenAt,
      actions: packActions(item.actions),
      runId: run.id,
    })
  }
  for (const { id, state } of result.closed) await patchDriftRecord(tx, id, { state, closedAt: now, runId: run.id })
  if ((await standingDrift(tx, stack.id)).every((record) => record.state !== 'open'))
    await withdrawHeals(tx, stack.id, 'drift_gone')
  await patchStack(tx, stack.id, {
    observedAt: now,
    ...observedOf(plan),
    ...(items.length === 0 && { healBackoff: healsToJson(stable(healsOf(stack), now)) }),
  })
}

/**
 * When what is found now was still as it should be: at the last look that left nothing out, or at the deployment. Null where
 * nobody can say.
 */
function rightUntil({ deployedAt, observedAt, observedUnchecked }: Stack): number | null {
  const looked = observedUnchecked === 0 ? observedAt : null
  return Math.max(deployedAt ?? 0, looked ?? 0) || null
}

/** The same of a check that found nothing where nothing stood before. */
export async function recordQuietLook(tx: Tx, run: Run, plan: Plan): Promise<void> {
  const stack = await requireStack(tx, run.stackId)
  const now = nowOf(tx)
  const healBackoff = healsToJson(stable(healsOf(stack), now))
  await patchStack(tx, stack.id, { observedAt: now, ...observedOf(plan), healBackoff })
}

/** Without drift the fight is over, too. */
const stable = ({ fight: _over, ...heals }: StackHeals, now: number): StackHeals => markStable(heals, now)
