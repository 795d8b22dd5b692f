import type { Json, JsonObject } from '../../../lib/json.ts'
import { asJson, isObject, type KubeObject } from '../objects/object.ts'
import { below, type Fields, indexOf, namesIn } from './fields.ts'
import { isQuantity, sameQuantity } from '../objects/quantity.ts'

/**
 * What an object would look like after applying, as well as can be told without the server: for identities that may read
 * but not write, and where a webhook refuses dry runs. Defaults and other spellings are beyond it.
 */
export function overlaid(desired: KubeObject, live: KubeObject, ours: Fields | null): KubeObject {
  const { name, namespace } = live.metadata
  const merged = overlay(asJson(desired), asJson(live), ours) as unknown as KubeObject
  return { ...merged, metadata: { ...merged.metadata, name, ...(namespace !== undefined && { namespace }) } }
}

function overlay(desired: Json, live: Json | undefined, ours: Fields | null, parent = ''): Json {
  if (Array.isArray(desired)) return Array.isArray(live) ? list(desired, live, ours) : desired
  if (!isObject(desired) || !isObject(live)) return desired
  const merged: JsonObject = { ...live }
  for (const name of namesIn(ours ?? {})) {
    if (name.startsWith('f:') && !Object.hasOwn(desired, name.slice(2))) delete merged[name.slice(2)]
  }
  for (const [member, value] of Object.entries(desired)) {
    if (isQuantity(parent, member) && sameQuantity(value, live[member])) continue
    merged[member] = overlay(value, live[member], below(ours, `f:${member}`), member)
  }
  return merged
}

function list(desired: Json[], live: Json[], ours: Fields | null): Json[] {
  const names = namesIn(ours ?? {})
  const twin = (item: Json): number => {
    const name = names.find((one) => indexOf(desired, one) !== -1 && desired[indexOf(desired, one)] === item)
    if (name !== undefined) return indexOf(live, name)
    return isObject(item) && typeof item.name === 'string'
      ? live.findIndex((other) => isObject(other) && other.name === item.name)
      : -1
  }
  const byKey = names.length > 0 || desired.every((item) => isObject(item) && typeof item.name === 'string')
  if (!byKey) return desired
  const merged = [...live]
  const gone = names.filter((name) => indexOf(desired, name) === -1).map((name) => live[indexOf(live, name)])
  for (const item of desired) {
    const at = twin(item)
    const name = names.find((one) => indexOf(live, one) === at)
    if (at === -1) merged.push(item)
    else merged[at] = overlay(item, live[at], name === undefined ? null : below(ours, name))
  }
  return merged.filter((item) => !gone.includes(item))
}
