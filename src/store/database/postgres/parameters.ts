/**
 * A value as PostgreSQL takes it where SQLite takes it as it is: flags are 0 and 1, and no text holds NUL, which becomes
 * U+FFFD as lone surrogates do in both.
 */
export function asParameter(value: unknown): unknown {
  if (typeof value === 'boolean') return Number(value)
  if (typeof value === 'string') return value.includes('\0') ? value.replaceAll('\0', '\uFFFD') : value
  if (value instanceof Uint8Array && !Buffer.isBuffer(value))
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  return value ?? null
}
