import { countsOf, isComplete } from './coverage.ts'
import type { Action, Coverage, PlanSummary, ResourceChange } from './plan.ts'

interface Summarised {
  summary: PlanSummary
}

/** Counts each change once, by the most consequential of its actions, and what was looked at. */
export function summarise(changes: readonly Pick<ResourceChange, 'actions'>[], coverage: Coverage): PlanSummary {
  const summary: PlanSummary & Count = {
    create: 0,
    update: 0,
    delete: 0,
    replace: 0,
    other: 0,
    ...(!isComplete({ coverage }) && countsOf(coverage)),
  }
  for (const change of changes) summary[weightiest(change.actions)] += 1
  return summary
}

type Count = { [kind in (typeof BY_WEIGHT)[number] | 'other']: number }
const BY_WEIGHT = ['replace', 'delete', 'create', 'update'] as const

function weightiest(actions: readonly Action[]): keyof Count {
  return BY_WEIGHT.find((action) => actions.includes(action)) ?? 'other'
}

/** No change was seen, which says as much as the coverage of the plan. */
export function isEmpty(plan: { changes: readonly unknown[] }): boolean {
  return plan.changes.length === 0
}

/** Nothing to apply: everything was looked at, and nothing differs. */
export const isInSync = (plan: { changes: readonly unknown[]; coverage: Coverage }): boolean =>
  isEmpty(plan) && isComplete(plan)

/** Number of resources that the plan deletes or replaces. */
export function destroysOf(plan: Summarised): number {
  return plan.summary.delete + plan.summary.replace
}

/**
 * `2 to create, 1 to update`; `no changes` where everything was looked at and nothing differs, and otherwise how much was not:
 * `no changes seen; 3 of 7 not checked`.
 */
export function summaryText(plan: Summarised): string {
  const parts = (['create', 'update', 'replace', 'delete'] as const)
    .filter((action) => plan.summary[action] > 0)
    .map((action) => `${plan.summary[action]} to ${action}`)
  if (plan.summary.other > 0) parts.push(`${plan.summary.other} other`)
  const { checked = 0, unchecked = 0 } = plan.summary
  if (unchecked === 0) return parts.length === 0 ? 'no changes' : parts.join(', ')
  const seen = parts.length === 0 ? 'no changes seen' : parts.join(', ')
  return `${seen}; ${unchecked} of ${checked + unchecked} not checked`
}
