import type { Json, JsonObject } from '../../../lib/json.ts'
import { equalJson, isObject, type KubeObject } from '../objects/object.ts'

/** Under this name the API server keeps which fields are ours. */
export const FIELD_MANAGER = 'trueup'

/**
 * Fields of one manager as the API server writes them (FieldsV1): `f:NAME` a member, `k:{…}` the list element with these
 * keys, `v:…` the element of a set, `i:N` the element at an index, `.` the place itself. A member without members is a
 * leaf: a scalar, or a list or map that is changed only as a whole.
 */
export type Fields = JsonObject

/** One manager other than us, with what it set. Those who write only the status do not count. */
export interface OtherManager {
  manager: string
  fields: Fields
  /** When it last changed what it owns, by the server's clock, in milliseconds. */
  at?: number
}

/** What is ours in a live object; null where nothing is. */
export function ourFields({ metadata }: KubeObject): Fields | null {
  const entries = (metadata.managedFields ?? []).filter(
    ({ manager, operation }) => manager === FIELD_MANAGER && operation === 'Apply',
  )
  if (entries.length === 0) return null
  return entries.reduce<Fields>((all, { fieldsV1 }) => union(all, fieldsV1 ?? {}), {})
}

export function otherManagers({ metadata }: KubeObject): OtherManager[] {
  return (metadata.managedFields ?? [])
    .filter(({ manager, operation }) => !(manager === FIELD_MANAGER && operation === 'Apply'))
    .map(({ manager = 'unknown', fieldsV1 = {}, subresource, time }) => ({
      manager: subresource ? `${manager} (${subresource})` : manager,
      fields: fieldsV1,
      ...timeOf(time),
    }))
    .filter(({ fields }) => Object.keys(fields).some((name) => name !== 'f:status'))
}

function timeOf(text: string | undefined): { at?: number } {
  const at = Date.parse(text ?? '')
  return Number.isNaN(at) ? {} : { at }
}

export function union(a: Fields, b: Fields): Fields {
  const all: Fields = { ...a }
  for (const [name, inner] of Object.entries(b)) all[name] = union(below(a, name) ?? {}, inner as Fields)
  return all
}

/** Names below a place, without the place itself. */
export const namesIn = (fields: Fields): string[] => Object.keys(fields).filter((name) => name !== '.')

export function below(fields: Fields | null | undefined, name: string): Fields | null {
  if (!fields || !Object.hasOwn(fields, name)) return null
  return fields[name] as Fields
}

/** Index of the list element that a name (`k:…`, `v:…`, `i:…`) means, or -1. */
export function indexOf(list: readonly Json[], name: string): number {
  if (name.startsWith('i:')) return Number(name.slice(2)) < list.length ? Number(name.slice(2)) : -1
  const wanted = parsed(name.slice(2))
  if (wanted === undefined) return -1
  if (name.startsWith('v:')) return list.findIndex((item) => equalJson(item, wanted))
  if (!isObject(wanted)) return -1
  return list.findIndex(
    (item) => isObject(item) && Object.entries(wanted).every(([key, value]) => equalJson(item[key], value)),
  )
}

/** Keys and values repeat in thousands of objects. */
const texts = new Map<string, Json | undefined>()

function parsed(text: string): Json | undefined {
  if (texts.has(text)) return texts.get(text)
  let value: Json | undefined
  try {
    value = JSON.parse(text) as Json
  } catch {
    value = undefined
  }
  if (texts.size > 10_000) texts.clear()
  texts.set(text, value)
  return value
}
