import type { Action, Cause, Finding, Output, ResourceChange } from '../../../domain/plans/plan.ts'
import { attributeChanges } from '../../values/attributes.ts'
import type { PlanJson, PlannedResource } from '../tool/plan-json.ts'
import { isRealDrift } from './left-alone.ts'
import { wordOf } from './reasons.ts'
import { remarked } from './sensitive-marks.ts'
import { uniqueAddress } from './addresses.ts'
import { valueChange } from './values.ts'
import type { Redaction } from '../../values/redaction.ts'
import type { Json } from '../../../lib/json.ts'

/** The plan's resource changes in Trueup's terms. Data sources are reads, not changes, and are left out. */
export function resourceChanges(plan: PlanJson, redaction: Redaction): ResourceChange[] {
  const drifted = new Map(plan.resource_drift.filter(isRealDrift).map((drift) => [uniqueAddress(drift), drift]))
  const changes: ResourceChange[] = []
  for (const resource of plan.resource_changes) {
    if (resource.mode !== 'managed') continue
    const actions = actionsOf(resource)
    if (actions.length === 0) continue
    const drift = drifted.get(uniqueAddress(resource))
    const reason = reasonOf(resource, drift)
    changes.push({
      address: uniqueAddress(resource),
      type: resource.type,
      actions,
      attributes: attributeChanges(valueChange(resource.change), redaction.value),
      cause: causeOf(resource, drift),
      ...(reason !== '' && { reason: redaction.text(reason) }),
      ...(isMoved(resource) && { previousAddress: resource.previous_address }),
      ...importIdOf(resource, redaction),
    })
  }
  return [...changes, ...outputChanges(plan, redaction)]
}

function actionsOf(resource: PlannedResource): Action[] {
  const { actions, importing } = resource.change
  const found: Action[] = importing === undefined || importing === null ? [] : ['import']
  const destroys = actions.includes('delete')
  const creates = actions.includes('create')
  if (destroys && creates) found.push('replace')
  else if (creates) found.push('create')
  else if (destroys) found.push('delete')
  else if (actions.includes('update')) found.push('update')
  if (actions.includes('forget')) found.push('forget')
  // A move alone changes only the state, but it has to be applied: without it a later plan would destroy and create.
  if (found.length === 0 && isMoved(resource)) found.push('update')
  return found
}

/** What is imported, and what is let go of so that it can be imported again: by its `id`, as most providers want it. */
function importIdOf({ change }: PlannedResource, redaction: Redaction): { importId?: string } {
  const before = change.before
  const own = before !== null && typeof before === 'object' && !Array.isArray(before) ? before?.id : undefined
  const id = change.importing?.id ?? (change.actions.includes('forget') ? own : undefined)
  return typeof id === 'string' && redaction.text(id) === id ? { importId: id } : {}
}

const isMoved = (resource: PlannedResource): boolean =>
  resource.previous_address !== undefined && resource.previous_address !== resource.address

/** Drift, where reality left the state in an attribute that this change sets back; otherwise the code. */
function causeOf(resource: PlannedResource, drift: PlannedResource | undefined): Cause {
  if (drift === undefined) return 'config'
  if (drift.change.actions.includes('delete')) return 'drift'
  const plain = (value: Json): { value: Json; sensitive: boolean } => ({ value, sensitive: false })
  const moved = new Set(attributeChanges(valueChange(drift.change), plain).map(({ path }) => path))
  const planned = attributeChanges(valueChange(resource.change), plain)
  return planned.some(({ path }) => moved.has(path)) ? 'drift' : 'config'
}

function reasonOf(resource: PlannedResource, drift: PlannedResource | undefined): string {
  const parts: string[] = []
  const forced = (resource.change.replace_paths ?? []).map((path) => path.join('.'))
  const word = wordOf(resource.action_reason)
  if (word !== undefined) parts.push(forced.length > 0 ? `${word}: ${forced.join(', ')}` : word)
  else if (forced.length > 0) parts.push(`replace because of ${forced.join(', ')}`)
  const imported = resource.change.importing?.id
  if (imported !== undefined) parts.push(`imports ${imported}`)
  const marks = remarked(resource.change)
  if (marks.length > 0) parts.push(`no value changes, only what is sensitive: ${marks.join(', ')}`)
  if (drift?.change.actions.includes('delete')) parts.push('deleted outside')
  else if (drift !== undefined) parts.push('changed outside')
  return parts.join('; ')
}

/** A change of outputs alone has to be applied too, so it is one: address `output.NAME`, type `output`. */
function outputChanges(plan: PlanJson, redaction: Redaction): ResourceChange[] {
  const changes: ResourceChange[] = []
  for (const [name, change] of Object.entries(plan.output_changes)) {
    const [action] = change.actions
    if (action !== 'create' && action !== 'update' && action !== 'delete') continue
    changes.push({
      address: `output.${name}`,
      type: 'output',
      actions: [action],
      attributes: attributeChanges(valueChange(change), redaction.value, 'value'),
      cause: 'config',
    })
  }
  return changes
}

/** Root outputs as they would be; a sensitive one is its keyed hash. */
export function predictedOutputs(plan: PlanJson, redaction: Redaction): { [name: string]: Output } {
  const outputs: { [name: string]: Output } = {}
  for (const [name, change] of Object.entries(plan.output_changes)) {
    if (change.actions[0] === 'delete') continue
    const hidden = isMasked(change.after_sensitive) || isMasked(change.before_sensitive)
    if (isMasked(change.after_unknown)) {
      outputs[name] = { value: null, sensitive: hidden, unknown: true }
      continue
    }
    const shown = redaction.value(change.after ?? null, hidden)
    outputs[name] = { value: shown.value, sensitive: shown.sensitive }
  }
  return outputs
}

/** A mask that covers anything at all: an output is one value for whoever uses it. */
function isMasked(mask: Json | undefined): boolean {
  if (mask === null || mask === undefined || typeof mask !== 'object') return mask === true
  return Object.values(mask).some(isMasked)
}

/** Failing `check` blocks and conditions: the tool only warns of them and ends well. */
export function checkFindings(plan: PlanJson, redaction: Redaction): Finding[] {
  return plan.checks
    .filter(({ status }) => status === 'fail' || status === 'error')
    .flatMap(({ address, instances }) => {
      const problems = (instances ?? []).flatMap(({ problems: list }) => list ?? [])
      const messages = problems.length > 0 ? problems.map(({ message }) => message) : ['it does not hold']
      return messages.map((message) => ({
        severity: 'warning' as const,
        code: 'check_failed',
        message: redaction.text(`${address.to_display}: ${message}`),
      }))
    })
}
