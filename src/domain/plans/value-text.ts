import type { Json } from '../../lib/json.ts'
import { isLarge } from './large.ts'

/** One side of an attribute. */
export interface ShownValue {
  before?: Json
  after?: Json
  sensitive?: boolean
  unknown?: boolean
}

/** One side of an attribute on one line: JSON, `(sensitive)`, `(known after apply)`, `nothing`; cut at `limit`. */
export function valueText(attribute: ShownValue, side: 'before' | 'after', limit = 80): string {
  if (side === 'after' && attribute.unknown) return '(known after apply)'
  const value = attribute[side]
  if (value === undefined) return 'nothing'
  if (attribute.sensitive) return '(sensitive)'
  if (isLarge(value)) return `(${value.$large.bytes} bytes, ${value.$large.digest.slice(0, 19)}…)`
  const text = JSON.stringify(value)
  return text.length <= limit ? text : `${text.slice(0, limit - 1)}…`
}
