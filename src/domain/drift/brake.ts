import type { PlanSummary } from '../plans/plan.ts'
import { destroysOf } from '../plans/summary.ts'

/** Whether a heal must wait for a person because it deletes or replaces too much. `maxDestroys` null = no limit. */
export function brake(plan: { summary: PlanSummary }, maxDestroys: number | null): { held: boolean; message: string } {
  const destroys = destroysOf(plan)
  const count = `${destroys} ${destroys === 1 ? 'resource' : 'resources'}`
  if (maxDestroys === null || destroys <= maxDestroys) {
    return { held: false, message: `healing deletes or replaces ${count}, which is within the limit` }
  }
  return {
    held: true,
    message: `healing would delete or replace ${count}, and \`drift.maxDestroys\` is ${maxDestroys}: a person has to approve it`,
  }
}
