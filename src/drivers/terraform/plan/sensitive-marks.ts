import { attributeChanges } from '../../values/attributes.ts'
import type { Json } from '../../../lib/json.ts'
import type { PlannedChange } from '../tool/plan-json.ts'
import { valueChange } from './values.ts'

/**
 * Attributes of which an update changes nothing but that they are sensitive: the tool plans an update for that (it has to
 * be applied, since the state keeps the marks), and its attributes would say nothing. Empty where any value changes.
 */
export function remarked(change: PlannedChange): string[] {
  if (!change.actions.includes('update')) return []
  const plain = (value: Json): { value: Json; sensitive: boolean } => ({ value, sensitive: false })
  if (attributeChanges(valueChange(change), plain).length > 0) return []
  const marks = { before: marked(change.before_sensitive), after: marked(change.after_sensitive) }
  return attributeChanges(marks, plain).map(({ path }) => path || 'all of it')
}

/** A mask without its `false` leaves: tools write some and leave out others. */
function marked(mask: Json | undefined): Json {
  if (mask === null || mask === undefined || typeof mask !== 'object') return mask === true ? true : null
  if (Array.isArray(mask)) return mask.map(marked)
  const kept = Object.entries(mask)
    .map(([key, inner]): [string, Json] => [key, marked(inner)])
    .filter(([, inner]) => inner !== null)
  return kept.length === 0 ? null : Object.fromEntries(kept)
}
