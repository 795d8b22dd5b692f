import type { AttributeChange } from '../../domain/plans/plan.ts'
import type { Json } from '../../lib/json.ts'

/**
 * One change of an object with its parallel trees, as in `change` of the plan JSON: a mask is `true` where the whole
 * value below is meant, an object or list to go into, and `false` or absent elsewhere.
 */
export interface ValueChange {
  before?: Json
  after?: Json
  /** Mask of what is known only after apply; such places are missing in `after`. */
  unknown?: Json
  beforeSensitive?: Json
  afterSensitive?: Json
}

/** What may leave the worker in place of a value, and whether it had to be hidden. */
export interface Redact {
  (value: Json, sensitive: boolean): { value: Json; sensitive: boolean }
  /** What people may see of a text that had to be hidden; `marked`: the tool calls all of it secret. */
  told?: (before: Json, after: Json, marked: boolean) => string | undefined
}

/**
 * The differences as dotted paths, one per leaf: `tags.Name`, `ingress[0].port`, `data["a.b"]`. Equal leaves are left
 * out, and null counts as absent. A value under a sensitive mask is one attribute, however deep it is.
 */
export function attributeChanges(change: ValueChange, redact: Redact, root = ''): AttributeChange[] {
  const found: AttributeChange[] = []
  walk(root, change, redact, found)
  return found
}

function walk(path: string, change: ValueChange, redact: Redact, found: AttributeChange[]): void {
  const { before = null, after = null, unknown = null, beforeSensitive = null, afterSensitive = null } = change
  const hidden = beforeSensitive === true || afterSensitive === true
  if (unknown === true) {
    const old = before === null ? undefined : redact(before, hidden)
    const sensitive = hidden || old?.sensitive === true
    found.push({ path, ...(old && { before: old.value }), unknown: true, ...(sensitive && { sensitive }) })
    return
  }
  if (!hasTrue(unknown) && sameJson(before, after)) return
  const keys = hidden ? null : membersOf(before, after, unknown)
  if (keys === null) {
    found.push(leaf(path, before, after, hidden, redact))
    return
  }
  for (const key of keys) {
    walk(
      memberPath(path, key),
      {
        before: member(before, key),
        after: member(after, key),
        unknown: member(unknown, key),
        beforeSensitive: member(beforeSensitive, key),
        afterSensitive: member(afterSensitive, key),
      },
      redact,
      found,
    )
  }
}

function leaf(path: string, before: Json, after: Json, hidden: boolean, redact: Redact): AttributeChange {
  const old = before === null ? null : redact(before, hidden)
  const next = after === null ? null : redact(after, hidden)
  // Where one side had to be hidden, the other is hidden too: a password's successor must not show its shape.
  const sensitive = hidden || old?.sensitive === true || next?.sensitive === true
  const told = sensitive ? redact.told?.(before, after, hidden) : undefined
  const shown = (value: Json, first: typeof old): Json =>
    sensitive ? redact(value, true).value : (first?.value ?? null)
  return {
    path,
    ...(before !== null && { before: shown(before, old) }),
    ...((after !== null || before !== null) && { after: after === null ? null : shown(after, next) }),
    ...(sensitive && { sensitive }),
    ...(told !== undefined && { shown: told }),
  }
}

/** Member keys when the three are one kind of container (or absent) and not all empty; otherwise null: a leaf. */
function membersOf(before: Json, after: Json, unknown: Json): (string | number)[] | null {
  const values = [before, after].filter((value) => value !== null)
  const containers = [...values, unknown].filter((value) => value !== null && typeof value === 'object')
  if (values.some((value) => typeof value !== 'object') || containers.length === 0) return null
  if (containers.every(Array.isArray)) {
    const length = Math.max(...containers.map((list) => list.length))
    return length === 0 ? null : Array.from({ length }, (_, index) => index)
  }
  if (containers.some(Array.isArray)) return null
  const keys = new Set(containers.flatMap((object) => Object.keys(object as object)))
  return keys.size === 0 ? null : [...keys].toSorted()
}

function member(value: Json, key: string | number): Json {
  if (value === true) return true
  if (value === null || typeof value !== 'object') return null
  // A tag may be called `constructor`.
  return Object.hasOwn(value, key) ? ((value as { [key: string | number]: Json })[key] ?? null) : null
}

function memberPath(path: string, key: string | number): string {
  if (typeof key === 'number') return `${path}[${key}]`
  if (!/^[A-Za-z_][\w-]*$/.test(key)) return `${path}[${JSON.stringify(key)}]`
  return path === '' ? key : `${path}.${key}`
}

function hasTrue(mask: Json): boolean {
  if (mask === null || typeof mask !== 'object') return mask === true
  return Object.values(mask).some(hasTrue)
}

/** Equality of JSON values, members that are null counting as absent. */
export function sameJson(a: Json, b: Json): boolean {
  if (a === b) return true
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object') return false
  if (Array.isArray(a) !== Array.isArray(b)) return false
  if (Array.isArray(a) && Array.isArray(b) && a.length !== b.length) return false
  const keys = new Set([...Object.keys(a), ...Object.keys(b)])
  return [...keys].every((key) => sameJson(member(a, key), member(b, key)))
}
