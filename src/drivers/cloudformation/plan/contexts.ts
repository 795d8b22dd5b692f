import type { Json, JsonObject } from '../../../lib/json.ts'

/** What AWS writes for a value that only exists after execution. */
const KNOWN_AFTER_APPLY = '{{changeSet:KNOWN_AFTER_APPLY}}'

/** One side of a change set's entry (`BeforeContext`, `AfterContext`) in our terms. */
export interface Side {
  value: JsonObject
  /** true where the value is known only after execution. */
  unknown: Json
}

/** Reads a context: properties at the top, attributes of the resource (`Metadata`, `DeletionPolicy`) with an underscore before their names. */
export function readContext(text: string | undefined): Side | null {
  if (text === undefined || text === '') return null
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    return null
  }
  if (parsed === null || typeof parsed !== 'object') return null
  const { Properties: properties, ...rest } = parsed as { Properties?: Json } & JsonObject
  const all: JsonObject = isObject(properties) ? { ...properties } : {}
  for (const [name, inner] of Object.entries(rest)) all[`_${name}`] = inner
  return { value: withoutUnknown(scalarText(all)) as JsonObject, unknown: unknownMask(all) }
}

/**
 * Every scalar as text: AWS writes `30` as a number in templates and as `"30"` in contexts and drift, and a difference
 * of spelling is none.
 */
export function scalarText(value: Json): Json {
  if (value === null) return null
  if (Array.isArray(value)) return value.map(scalarText)
  if (typeof value === 'object') return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, scalarText(v)]))
  return String(value)
}

function unknownMask(value: Json): Json {
  if (typeof value === 'string') return value.includes(KNOWN_AFTER_APPLY)
  if (value === null || typeof value !== 'object') return false
  if (Array.isArray(value)) return value.map(unknownMask)
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, unknownMask(inner)]))
}

function withoutUnknown(value: Json): Json {
  if (typeof value === 'string') return value.includes(KNOWN_AFTER_APPLY) ? null : value
  if (value === null || typeof value !== 'object') return value
  if (Array.isArray(value)) return value.map(withoutUnknown)
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withoutUnknown(inner)]))
}

export const isObject = (value: Json | undefined): value is JsonObject =>
  value !== null && typeof value === 'object' && !Array.isArray(value)
