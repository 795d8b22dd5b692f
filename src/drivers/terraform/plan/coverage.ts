import type { Coverage } from '../../../domain/plans/plan.ts'
import { uniqueAddress, withoutKeys } from './addresses.ts'
import { deferredWord } from './reasons.ts'
import type { ConfigModule, PlanJson } from '../tool/plan-json.ts'

/**
 * What was looked at: the managed resources of state and code, unless the plan was told not to read them. Provisioners are
 * looked at by nobody: the tool runs them once and keeps nothing of what they did
 * (https://developer.hashicorp.com/terraform/language/resources/provisioners/syntax). They are named beside their resource,
 * which is read. Resources with nothing behind them (`terraform_data`, `null_resource`) are what their state says.
 */
export function coverageOf(plan: PlanJson, options: { refresh: boolean }): Coverage {
  const managed = plan.resource_changes.filter(({ mode }) => mode === 'managed')
  const unchecked: Coverage['unchecked'] = []
  if (!options.refresh) {
    const why = 'planned with refresh: false, the real resource was not read'
    unchecked.push(...managed.map((resource) => ({ address: uniqueAddress(resource), why })))
  }
  const provisioners = provisionersIn(plan.configuration.root_module)
  for (const { address } of managed) {
    for (const type of provisioners.get(withoutKeys(address)) ?? []) {
      unchecked.push({
        address: `${address} (${type})`,
        why: 'a provisioner: it runs when the resource is created, and the tool never looks at what it did',
      })
    }
  }
  for (const { reason, resource_change: resource } of plan.deferred_changes) {
    unchecked.push({ address: uniqueAddress(resource), why: `left for a later plan: ${deferredWord(reason)}` })
  }
  for (const { address, lifecycle_action_trigger: trigger } of plan.action_invocations) {
    const when = trigger ? ` (${trigger.action_trigger_event} of ${trigger.triggering_resource_address})` : ''
    unchecked.push({
      address: `${address}${when}`,
      why: 'an action: the apply invokes it, and nobody can see what it will do',
    })
  }
  if (!plan.complete && plan.deferred_changes.length === 0)
    unchecked.push({ address: '*', why: 'the tool left resources for a later plan' })
  return { checked: options.refresh ? managed.length : 0, unchecked }
}

/** Types of the provisioners of each resource block, by its address without keys of instances. */
function provisionersIn(
  module: ConfigModule | undefined,
  prefix = '',
  found = new Map<string, Set<string>>(),
): Map<string, Set<string>> {
  for (const { address, provisioners } of module?.resources ?? []) {
    if (provisioners.length > 0) found.set(`${prefix}${address}`, new Set(provisioners.map(({ type }) => type)))
  }
  for (const [name, call] of Object.entries(module?.module_calls ?? {})) {
    provisionersIn(call.module, `${prefix}module.${name}.`, found)
  }
  return found
}
