import type { Action, PlanSummary, ResourceChange } from './plan.ts'

interface Summarised {
  summary: PlanSummary
}

/** Counts each change once, by the most consequential of its actions. */
export function summarise(changes: readonly Pick<ResourceChange, 'actions'>[]): PlanSummary {
  const summary: PlanSummary = { create: 0, update: 0, delete: 0, replace: 0, other: 0 }
  for (const change of changes) summary[weightiest(change.actions)] += 1
  return summary
}

const BY_WEIGHT = ['replace', 'delete', 'create', 'update'] as const

function weightiest(actions: readonly Action[]): keyof PlanSummary {
  return BY_WEIGHT.find((action) => actions.includes(action)) ?? 'other'
}

/** Nothing to apply. */
export function isEmpty(plan: { changes: readonly unknown[] }): boolean {
  return plan.changes.length === 0
}

/** Number of resources that the plan deletes or replaces. */
export function destroysOf(plan: Summarised): number {
  return plan.summary.delete + plan.summary.replace
}

/** `2 to create, 1 to update`; `no changes` when there are none. */
export function summaryText(plan: Summarised): string {
  const parts = (['create', 'update', 'replace', 'delete'] as const)
    .filter((action) => plan.summary[action] > 0)
    .map((action) => `${plan.summary[action]} to ${action}`)
  if (plan.summary.other > 0) parts.push(`${plan.summary.other} other`)
  return parts.length === 0 ? 'no changes' : parts.join(', ')
}
