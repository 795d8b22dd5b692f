import { digestOf } from '../../lib/digest.ts'
import type { Json } from '../../lib/json.ts'

/** Longest value kept in a plan, in bytes of JSON. */
export const MAX_VALUE_BYTES = 64 * 1024

/** Stands in a plan for a value that is too large to keep: equal values give equal markers. */
export interface LargeValue {
  $large: { bytes: number; digest: string }
}

export function isLarge(value: Json | undefined): value is Json & LargeValue {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return false
  const marker = value.$large
  return typeof marker === 'object' && marker !== null && 'bytes' in marker && 'digest' in marker
}

/** The value itself, or its marker where it is larger than the limit; `bytes` is the size of what is kept. */
export function bounded(value: Json): { value: Json; bytes: number } {
  const bytes = Buffer.byteLength(JSON.stringify(value))
  if (bytes <= MAX_VALUE_BYTES) return { value, bytes }
  return { value: { $large: { bytes, digest: digestOf(value) } }, bytes: 128 }
}

/** Whether a value nests at most `limit` levels; walks no deeper than that itself. */
export function nestsWithin(value: Json | undefined, limit: number): boolean {
  if (value === null || typeof value !== 'object') return true
  if (limit === 0) return false
  return Object.values(value).every((member) => nestsWithin(member, limit - 1))
}
