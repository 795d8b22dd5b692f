import type { ResourceChange } from '../../../domain/plans/plan.ts'
import type { DriverContext } from '../../driver.ts'
import { differences } from '../compare/attributes.ts'
import type { KubernetesConfig } from '../config.ts'
import type { Inventory } from './inventory.ts'
import type { HookEvent } from '../objects/hooks.ts'
import { typeOf } from '../objects/object.ts'
import type { Step } from './steps.ts'
import { stepOf, type Survey } from './survey.ts'
import type { Wanted } from './wanted.ts'

export interface HookRequest {
  context: DriverContext<KubernetesConfig>
  survey: Survey
  wanted: readonly Wanted[]
  inventory: Inventory
  desired: string
}

export interface HookPlan {
  changes: ResourceChange[]
  steps: Step[]
}

/**
 * Hooks run once for each change of what the stack wants, never for drift: a migration is not repeated because somebody
 * has edited a label. One that failed half-way runs again, since its change has not got to its end.
 */
export function hookSteps({ context, survey, wanted, inventory, desired }: HookRequest): HookPlan {
  const plan: HookPlan = { changes: [], steps: [] }
  const hooks = wanted.filter(({ hook }) => hook !== null)
  const isDrift = context.kind === 'drift' || context.kind === 'heal'
  if (hooks.length === 0 || isDrift || inventory.desired === desired) return plan
  const event: HookEvent = inventory.desired === '' ? 'install' : 'upgrade'
  for (const one of hooks) {
    if (!one.hook?.events.includes(event)) continue
    const hash = survey.hash(one.object)
    plan.changes.push({
      address: one.address,
      type: typeOf(one.ref),
      actions: ['create'],
      attributes: differences(null, one.object, survey.redaction),
      cause: 'config',
      reason: `hook, ${one.hook.when} the ${event}`,
    })
    plan.steps.push({ ...stepOf(one, 'hook', hash), object: one.object })
  }
  return plan
}
