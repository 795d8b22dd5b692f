import { createHash, createHmac } from 'node:crypto'
import { canonicalJson } from './json.ts'

/** `sha256:<hex>` over the canonical JSON of a value. */
export function digestOf(value: unknown): string {
  return `sha256:${createHash('sha256').update(canonicalJson(value)).digest('hex')}`
}

/**
 * A keyed hash that stands for a sensitive value: equal values compare equal under one key, and the value cannot be
 * guessed without it. Shape: `hmac:<first 32 hex digits>`.
 */
export function keyedHash(key: string | Buffer, value: unknown): string {
  return `hmac:${createHmac('sha256', key).update(canonicalJson(value)).digest('hex').slice(0, 32)}`
}
