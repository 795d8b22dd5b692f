/** Any value that survives a JSON round trip. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }
export type JsonObject = { [key: string]: Json }

/**
 * JSON text with object keys sorted at every level, so that equal values give equal bytes.
 * `undefined` members are dropped as `JSON.stringify` does.
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) => {
    if (member === null || typeof member !== 'object' || Array.isArray(member)) return member
    // Without a prototype, so that a member named `__proto__` is a member like any other and not lost.
    const sorted = Object.create(null) as Record<string, unknown>
    for (const key of Object.keys(member).sort()) sorted[key] = (member as Record<string, unknown>)[key]
    return sorted
  })
}

/** Every text and number inside a value; of a secret, each of them is one. */
export function textsIn(value: Json): string[] {
  if (value === null || typeof value === 'boolean') return []
  return typeof value === 'object' ? Object.values(value).flatMap(textsIn) : [String(value)]
}
