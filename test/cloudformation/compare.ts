import { asText } from '../../src/drivers/cloudformation/template/text.ts'
import type { Json, JsonObject } from '../../src/lib/json.ts'

export interface LeafDifference {
  /** Below the properties, as the service writes it: `/Tags/0/Value`. */
  path: string
  before: Json | undefined
  after: Json | undefined
}

/** Differences at the leaves. Scalars are compared as text: `30` in a template is `"30"` for the service. */
export function differences(before: Json | undefined, after: Json | undefined, path = ''): LeafDifference[] {
  if (before === undefined && after === undefined) return []
  if (isObject(before) && isObject(after)) {
    const names = new Set([...Object.keys(before), ...Object.keys(after)])
    return [...names].toSorted().flatMap((name) => differences(before[name], after[name], `${path}/${name}`))
  }
  if (Array.isArray(before) && Array.isArray(after)) {
    const length = Math.max(before.length, after.length)
    return Array.from({ length }, (_, i) => differences(before[i], after[i], `${path}/${i}`)).flat()
  }
  if (before !== undefined && after !== undefined && asText(before) === asText(after)) return []
  return [{ path, before, after }]
}

export const isObject = (value: Json | undefined): value is JsonObject =>
  value !== null && typeof value === 'object' && !Array.isArray(value)

export { asText } from '../../src/drivers/cloudformation/template/text.ts'

/** A value with every number and boolean as text, as in the contexts of a change set. */
export function stringified(value: Json): Json {
  if (Array.isArray(value)) return value.map(stringified)
  if (isObject(value)) return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, stringified(v)]))
  return value === null ? '' : String(value)
}
