import type { Json } from '../../lib/json.ts'
import { isLarge } from './large.ts'
import type { AttributeChange } from './plan.ts'

/**
 * What of the state before an update destroys: values that are taken away, members of objects and surplus items of lists
 * that the state after does not have. A text or number in whose place another one is written is not lost in that sense:
 * that what is written there is what was approved, the state after says. Undefined where nothing is lost.
 */
export function lostBy({ before, after, unknown }: AttributeChange): Json | undefined {
  if (before === undefined || before === null) return undefined
  if (unknown) return isScalar(before) ? undefined : before
  if (after === undefined || after === null) return before
  return lost(before, after)
}

function lost(before: Json, after: Json): Json | undefined {
  if (isScalar(before)) return undefined
  // Of what is too large to be kept nobody can say what is missing in the other.
  if (isLarge(before) || isLarge(after)) return before
  if (Array.isArray(before)) {
    if (!Array.isArray(after)) return before
    // With `after` beside it a place says whether it was changed in part or dropped.
    const items = before.map((item, index) => (index < after.length ? (lost(item, after[index]!) ?? null) : item))
    return before.length > after.length || items.some((item) => item !== null) ? items : undefined
  }
  if (isScalar(after) || Array.isArray(after)) return before
  const members = Object.entries(before).flatMap(([key, value]) => {
    const gone = Object.hasOwn(after, key) ? lost(value, after[key]!) : value
    return gone === undefined ? [] : [[key, gone] as const]
  })
  return members.length > 0 ? Object.fromEntries(members) : undefined
}

const isScalar = (value: Json): value is string | number | boolean | null => value === null || typeof value !== 'object'
