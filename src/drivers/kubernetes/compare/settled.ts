import type { Json, JsonObject } from '../../../lib/json.ts'
import { asJson, equalJson, isObject, type KubeObject } from '../objects/object.ts'
import { type Fields, indexOf, namesIn } from './fields.ts'
import { isQuantity, sameQuantity } from '../objects/quantity.ts'

/**
 * Whether applying `desired` would change nothing, decided without asking the server: exactly the wanted fields are ours,
 * and each has the wanted value. False may also mean "spelt otherwise"; only a dry run can tell then.
 */
export function isSettled(desired: KubeObject, live: KubeObject, ours: Fields): boolean {
  return settled(withoutIdentity(desired), asJson(live), ours)
}

/** Names, namespaces and versions are nobody's fields. */
function withoutIdentity(object: KubeObject): JsonObject {
  const { apiVersion: _version, kind: _kind, metadata, ...rest } = asJson(object)
  const { name: _name, namespace: _namespace, ...others } = metadata as JsonObject
  return { ...rest, ...(Object.keys(others).length > 0 && { metadata: others }) }
}

function settled(desired: Json | undefined, live: Json | undefined, ours: Fields, parent = ''): boolean {
  const names = namesIn(ours)
  if (names.length === 0) return desired !== undefined && equalJson(desired, live)
  if (Array.isArray(desired)) return Array.isArray(live) && listSettled(desired, live, ours, names)
  if (!isObject(desired) || !isObject(live) || names.length !== Object.keys(desired).length) return false
  return names.every((name) => {
    const member = name.slice(2)
    if (!Object.hasOwn(desired, member)) return false
    if (settled(desired[member], live[member], ours[name] as Fields, member)) return true
    return isQuantity(parent, member) && sameQuantity(desired[member], live[member])
  })
}

function listSettled(desired: readonly Json[], live: readonly Json[], ours: Fields, names: readonly string[]): boolean {
  if (names.length !== desired.length) return false
  const places: [number, number][] = []
  for (const name of names) {
    const wanted = indexOf(desired, name)
    const found = indexOf(live, name)
    if (wanted === -1 || found === -1) return false
    if (!settled(desired[wanted], live[found], ours[name] as Fields)) return false
    places.push([wanted, found])
  }
  // The order counts, of environment variables for one: they refer to earlier ones.
  places.sort(([a], [b]) => a - b)
  return places.every(([, found], at) => at === 0 || found > places[at - 1]![1])
}
