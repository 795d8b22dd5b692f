import type { Finding } from '../../../domain/plans/plan.ts'
import type { Json } from '../../../lib/json.ts'
import { attributeChanges, sameJson } from '../../values/attributes.ts'
import type { Redaction } from '../../values/redaction.ts'
import type { PlanJson, PlannedResource } from '../tool/plan-json.ts'
import { uniqueAddress } from './addresses.ts'
import { valueChange } from './values.ts'

/** Attributes named of one resource; a resource that changed wholly needs no list. */
const MAX_NAMED = 5
const MAX_FINDINGS = 20

/**
 * What changed outside and stays as it is, since no code sets it (computed attributes, `ignore_changes`): no drift that an
 * apply would undo, but somebody did something. Where other parts of the code read it (`relevant_attributes`), that is said:
 * https://developer.hashicorp.com/terraform/internals/json-format#plan-representation
 */
export function leftAlone(plan: PlanJson, redaction: Redaction): Finding[] {
  const undone = new Set(
    plan.resource_changes.filter(({ change }) => !change.actions.every(isNothing)).map(uniqueAddress),
  )
  const read = new Set(plan.relevant_attributes.map(({ resource }) => resource))
  const stays = plan.resource_drift.filter((drift) => isRealDrift(drift) && !undone.has(uniqueAddress(drift)))
  return stays.slice(0, MAX_FINDINGS).map((drift) => {
    const address = uniqueAddress(drift)
    const paths = attributeChanges(valueChange(drift.change), (value) => ({ value, sensitive: false })).map(
      ({ path }) => path,
    )
    const named = paths.slice(0, MAX_NAMED).join(', ')
    const more = paths.length > MAX_NAMED ? ` and ${paths.length - MAX_NAMED} more` : ''
    const used = read.has(drift.address) ? '; other parts of the code read it' : ''
    return {
      severity: 'info',
      code: 'changed_outside',
      message: redaction.text(`${address}: ${named}${more} changed outside; no code sets it, so it stays${used}`),
    }
  })
}

const isNothing = (action: string): boolean => action === 'no-op' || action === 'read'

/**
 * A difference that comes of how a provider spells "nothing" (null, "", [], {}) is none: right after an apply such
 * differences are listed as drift although nobody touched anything.
 */
export function isRealDrift(drift: PlannedResource): boolean {
  if (drift.change.actions.every((action) => action === 'no-op')) return false
  return !sameJson(withoutEmpty(drift.change.before ?? null), withoutEmpty(drift.change.after ?? null))
}

function withoutEmpty(value: Json): Json {
  if (value === '' || value === null || typeof value !== 'object') return value === '' ? null : value
  if (Array.isArray(value)) return value.length === 0 ? null : value.map(withoutEmpty)
  const kept = Object.entries(value)
    .map(([key, inner]): [string, Json] => [key, withoutEmpty(inner)])
    .filter(([, inner]) => inner !== null)
  return kept.length === 0 ? null : Object.fromEntries(kept)
}
