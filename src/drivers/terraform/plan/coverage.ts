import { z } from 'zod'
import type { Coverage } from '../../../domain/plans/plan.ts'
import { uniqueAddress, withoutKeys } from './addresses.ts'
import { deferredWord } from './reasons.ts'
import type { ConfigModule, PlanJson, PlannedChange } from '../tool/plan-json.ts'

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
  const blocks = blocksIn(plan.configuration.root_module)
  for (const { address, change } of managed) {
    const { provisioners = [], expressions = {} } = blocks.get(withoutKeys(address)) ?? {}
    for (const attribute of writeOnly(expressions, change)) {
      const why = `${attribute} is write-only: it is given to each apply that changes the resource, and nobody can read it back`
      unchecked.push({ address, why })
    }
    for (const type of new Set(provisioners.map((provisioner) => provisioner.type))) {
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
  for (const { reason, action_invocation: action } of plan.deferred_action_invocations) {
    unchecked.push({ address: action.address, why: `an action, left for a later plan: ${deferredWord(reason)}` })
  }
  const told = plan.deferred_changes.length + plan.deferred_action_invocations.length
  if (!plan.complete && told === 0) unchecked.push({ address: '*', why: 'the tool left resources for a later plan' })
  return { checked: options.refresh ? managed.length : 0, unchecked }
}

const Given = z.object({ constant_value: z.unknown().optional(), references: z.array(z.string()).default([]) })

/**
 * Attributes that the code gives a value and the plan none. Of those that take it from elsewhere this is known where that
 * is ephemeral, which only a write-only attribute may be
 * (https://developer.hashicorp.com/terraform/language/resources/ephemeral/write-only).
 */
function writeOnly(
  expressions: { readonly [attribute: string]: unknown },
  { after, after_unknown }: PlannedChange,
): string[] {
  if (!isObject(after)) return []
  return Object.entries(expressions).flatMap(([attribute, expression]) => {
    const given = Given.safeParse(expression).data
    if (given === undefined || (after[attribute] ?? null) !== null) return []
    if (isObject(after_unknown) && after_unknown[attribute] !== undefined) return []
    const isGiven = isSomething(given.constant_value) || given.references.some(isEphemeral)
    return isGiven ? [attribute] : []
  })
}

/** Providers take null for nothing's other spellings: "", 0, false, [] and {}. */
const isSomething = (value: unknown): boolean =>
  typeof value === 'object' && value !== null ? Object.keys(value).length > 0 : Boolean(value)
const isEphemeral = (reference: string): boolean => reference.startsWith('ephemeral.')
const isObject = (value: unknown): value is { [name: string]: unknown } =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

type Block = ConfigModule['resources'][number]

/** The resource blocks by their addresses without keys of instances. */
function blocksIn(module: ConfigModule | undefined, prefix = '', found = new Map<string, Block>()): Map<string, Block> {
  for (const block of module?.resources ?? []) found.set(`${prefix}${block.address}`, block)
  for (const [name, call] of Object.entries(module?.module_calls ?? {}))
    blocksIn(call.module, `${prefix}module.${name}.`, found)
  return found
}
