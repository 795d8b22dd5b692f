import { canonicalJson, type Json, type JsonObject } from '../../../lib/json.ts'
import { equalJson, isObject } from '../objects/object.ts'

/** Members by which lists of Kubernetes are keyed (`x-kubernetes-list-map-keys`), the most telling first. */
const KEYS: readonly (readonly string[])[] = [
  ['name'],
  ['containerPort', 'protocol'],
  ['port', 'protocol'],
  ['mountPath'],
  ['devicePath'],
  ['topologyKey', 'whenUnsatisfiable'],
  ['ip'],
  ['type'],
]

/**
 * Two states of a value with the elements of their lists brought to the same places, so that one element that was taken out is
 * one difference and not one at each place behind it. Places are those of `after`; what is only in `before` stands behind them.
 * A list that differs by its order alone stays as it is: that order is the difference.
 */
export function aligned(before: Json, after: Json): [Json, Json] {
  if (Array.isArray(before) && Array.isArray(after)) return alignedLists(before, after)
  if (!isObject(before) || !isObject(after)) return [before, after]
  const [left, right]: [JsonObject, JsonObject] = [{ ...before }, { ...after }]
  for (const [member, value] of Object.entries(before)) {
    if (!Object.hasOwn(after, member)) continue
    const [a, b] = aligned(value, after[member] as Json)
    left[member] = a
    right[member] = b
  }
  return [left, right]
}

function alignedLists(before: Json[], after: Json[]): [Json, Json] {
  const keyOf = keyFor([...before, ...after])
  if (keyOf === null) return [before, after]
  const old = new Map(before.map((item) => [keyOf(item), item]))
  const now = new Set(after.map(keyOf))
  if (old.size !== before.length || now.size !== after.length) return [before, after]
  const left: Json[] = []
  const right: Json[] = []
  for (const item of after) {
    const twin = old.get(keyOf(item))
    const [a, b] = twin === undefined ? [null, item] : aligned(twin, item)
    left.push(a)
    right.push(b)
  }
  for (const item of before) if (!now.has(keyOf(item))) left.push(item)
  return equalJson(left, right) && !equalJson(before, after) ? [before, after] : [left, right]
}

/** The first key that all elements have. */
function keyFor(items: readonly Json[]): ((item: Json) => string) | null {
  if (items.length === 0 || !items.every(isObject)) return null
  const found = KEYS.find(([first = '']) => items.every((item) => Object.hasOwn(item, first)))
  if (!found) return null
  return (item) => canonicalJson(found.map((member) => (item as JsonObject)[member] ?? null))
}
