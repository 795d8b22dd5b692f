import { type Literals, literals, type Place, SHORTEST_LITERAL } from '../../lib/literals.ts'
import { type Json, textsIn } from '../../lib/json.ts'
import { formsOf, stretchesOf } from './secret-forms.ts'

/** Hides secrets in everything that leaves the worker as text. */
export interface Masker {
  /** From now on `secret` and the forms tools print it in are replaced by `***`. */
  add: (secret: string) => void
  /** A whole text. It may have been cut: a part of a secret at its end is hidden too, the shorter the likelier the cut. */
  text: (text: string) => string
  /** Every string and number inside a JSON-like value, and the keys of objects. */
  deep<T>(value: T): T
  /** The same for a record of ours: its own keys stay. */
  fields<T extends object>(record: T): T
  /** True where the value is, or holds in any form, a secret; equality counts for one that is too short to be looked for. */
  holds: (value: Json) => boolean
  /** Masks a text that comes in pieces: what may be the beginning of a secret is held back until the next piece. */
  stream(): MaskStream
}

export interface MaskStream {
  push(text: string): string
  /** What was held back. */
  flush(): string
}

const MASK = '***'
/** Shorter ones ("1", "yes") would tear every log apart; documented in docs/secrets. */
const SHORTEST = SHORTEST_LITERAL
/** A text that was cut may end, or begin, with a part of a secret: from this many characters on it is taken for one. */
const SHORTEST_PART = 6
/** Where a tool's words are cut without a mark, this much is always left. */
const SHORTEST_CUT = 200
/**
 * At the end of a text that is shorter and bears no ellipsis it takes this many: an address of a host, with which a line of
 * a secret file of known hosts begins, is no part of that file.
 */
const LONG_PART = 12
const ELLIPSIS = /(?:…|\.{3})\s*$/
/** A secret that repeats itself could hold text back for ever. */
const MAX_HELD = 64 * 1024
/** A cluster has thousands of Secrets: from here on, encoded texts that are wrapped are known by common columns only. */
const MAX_STRETCHES = 200_000

export function createMasker(): Masker {
  const forms = literals()
  const seen = new Set<string>()
  let stretches = 0
  const text = (plain: string) => replace(plain, withParts(forms, plain), plain.length)
  return {
    add(secret) {
      if (seen.has(secret)) return
      seen.add(secret)
      if (secret.trim().length < SHORTEST) return
      for (const form of formsOf(secret)) forms.add(form)
      if (stretches > MAX_STRETCHES) return
      for (const stretch of stretchesOf(secret)) {
        forms.add(stretch, 'inner')
        stretches++
      }
    },
    text,
    deep: (value) => mapStrings(value, text),
    fields: (record) =>
      Object.fromEntries(Object.entries(record).map(([key, value]) => [key, mapStrings(value, text)])) as typeof record,
    holds: (value) =>
      textsIn(value).some((one) => isShortSecret(seen, one) || text(one) !== one) || keysHold(value, text),
    stream: () => maskStream(forms),
  }
}

/** Where a secret stands, and where a cut has left a part of one: at the end, also before an ellipsis, or at the beginning. */
function withParts(forms: Literals, text: string): Place[] {
  const isLong = text.length >= SHORTEST_CUT
  const places = [
    ...forms.find(text),
    ...cutEnd(forms, text, isLong || ELLIPSIS.test(text) ? SHORTEST_PART : LONG_PART),
  ]
  const ends = isLong ? forms.endingAt(text) : 0
  return joined(ends < SHORTEST_PART ? places : [...places, [0, ends]])
}

function cutEnd(forms: Literals, text: string, shortest: number): Place[] {
  const end = text.replace(/(?:\.{3}|[\s…])+$/, '').length
  const begins = forms.beginningAt(text.slice(0, end))
  // What begins with its whole self is a value and no message.
  const isPart = end - begins >= shortest && (begins > 0 || shortest === SHORTEST_PART)
  return isPart ? [[begins, end]] : []
}

/** In order, overlapping ones as one. */
function joined(places: Place[]): Place[] {
  const result: Place[] = []
  for (const [from, to] of places.toSorted((a, b) => a[0] - b[0])) {
    const last = result.at(-1)
    if (last && from < last[1]) last[1] = Math.max(last[1], to)
    else result.push([from, to])
  }
  return result
}

/** Words that stand everywhere are no secrets, whatever a variable says. */
const isShortSecret = (seen: ReadonlySet<string>, text: string): boolean =>
  text.length >= 2 && text.length < SHORTEST && !/^(no|on|off|yes|\*+)$/i.test(text) && seen.has(text)

function keysHold(value: Json, change: (text: string) => string): boolean {
  if (value === null || typeof value !== 'object') return false
  return Object.entries(value).some(
    ([key, member]) => (!Array.isArray(value) && change(key) !== key) || keysHold(member, change),
  )
}

function maskStream(forms: Literals): MaskStream {
  let held = ''
  return {
    push(text) {
      const all = held + text
      const found = forms.find(all)
      let until = forms.beginningAt(all)
      // A secret that was found must not be cut: another one may begin in it and go on in the next piece.
      for (const [from, to] of found) if (from < until && until < to) until = from
      if (all.length - until > MAX_HELD) until = all.length
      held = all.slice(until)
      return replace(all, found, until)
    },
    flush() {
      const rest = replace(held, joined([...forms.find(held), ...cutEnd(forms, held, SHORTEST_PART)]), held.length)
      held = ''
      return rest
    },
  }
}

function replace(text: string, found: readonly Place[], until: number): string {
  let result = ''
  let at = 0
  for (const [from, to] of found) {
    if (from >= until) break
    result += text.slice(at, from) + MASK
    at = to
  }
  return at >= until ? result : result + text.slice(at, until)
}

/** Keys are texts of the tool as well. Two that become the same stay two. */
function mapStrings<T>(value: T, change: (text: string) => string): T {
  if (typeof value === 'string') return change(value) as T
  if (typeof value === 'number') return (change(String(value)) === String(value) ? value : MASK) as T
  if (Array.isArray(value)) return value.map((member: unknown) => mapStrings(member, change)) as T
  if (value === null || typeof value !== 'object') return value
  const names = new Set<string>()
  const entries = Object.entries(value).map(([key, member]) => {
    const hidden = change(key)
    let name = hidden
    for (let i = 2; names.has(name); i++) name = `${hidden} (${i})`
    names.add(name)
    return [name, mapStrings(member, change)]
  })
  return Object.fromEntries(entries) as T
}
