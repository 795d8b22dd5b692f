import type { Json } from '../../../lib/json.ts'

/** A value of a template as text: scalars as they are, everything else as JSON, absent ones as nothing. */
export function asText(value: Json | undefined): string {
  if (value === undefined || value === null) return ''
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
