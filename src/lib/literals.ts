/** Many literals that are looked for in one pass over a text: it costs the text's length, not the number of literals. */
export interface Literals {
  /** Shorter ones than `SHORTEST_LITERAL` are not taken. */
  /** `inner`: a part of a longer one, whose end is none of its own (see `endingAt`). */
  add(literal: string, kind?: 'inner'): void
  /** Where any of them stands; overlapping ones as one place, in order. */
  find(text: string): Place[]
  /** The first place from which on the text is only the beginning of one, or its length. */
  beginningAt(text: string): number
  /** Up to where the text is only the end of one, at least `SHORTEST_LITERAL` characters of it; 0 where it is not. */
  endingAt(text: string): number
}

export type Place = [from: number, to: number]

export const SHORTEST_LITERAL = 4
/** Ends are looked for in literals of so many characters together: it costs their length with each text. */
const MAX_SEARCHED = 256 * 1024

export function literals(): Literals {
  const known = new Set<string>()
  const whole: string[] = []
  let searched = 0
  /** By their first four characters. */
  const buckets = new Map<string, string[]>()
  /** Beginnings of one to three characters. */
  const beginnings = new Set<string>()
  /** First two characters, folded into 16 bits: turns nearly every place of a text away at once. */
  const filter = new Uint8Array(0x10000)
  let longest = 0

  const bucketAt = (text: string, at: number): string[] | undefined =>
    filter[fold(text, at)] === 1 ? buckets.get(text.slice(at, at + SHORTEST_LITERAL)) : undefined

  const note = (literal: string): void => {
    longest = Math.max(longest, literal.length)
    filter[fold(literal, 0)] = 1
    for (let length = 1; length < SHORTEST_LITERAL; length++) beginnings.add(literal.slice(0, length))
    const start = literal.slice(0, SHORTEST_LITERAL)
    const bucket = buckets.get(start)
    if (bucket) bucket.push(literal)
    else buckets.set(start, [literal])
  }

  return {
    add(literal, kind) {
      if (literal.length < SHORTEST_LITERAL || known.has(literal)) return
      known.add(literal)
      if (kind === 'inner' || searched > MAX_SEARCHED) return note(literal)
      searched += literal.length
      whole.push(literal)
      note(literal)
    },
    find(text) {
      const found: Place[] = []
      for (let at = 0; at <= text.length - SHORTEST_LITERAL; at++) {
        const to = endOfLongest(text, at, bucketAt(text, at))
        if (to === at) continue
        const last = found.at(-1)
        if (last && at < last[1]) last[1] = Math.max(last[1], to)
        else found.push([at, to])
      }
      return found
    },
    beginningAt(text) {
      for (let at = Math.max(0, text.length - longest + 1); at < text.length; at++) {
        const isShort = text.length - at < SHORTEST_LITERAL
        if (isShort ? beginnings.has(text.slice(at)) : beginsAt(text, at, bucketAt(text, at))) return at
      }
      return text.length
    },
    endingAt(text) {
      const start = text.slice(0, SHORTEST_LITERAL)
      let end = 0
      for (const literal of whole) {
        // From the back, so that the longest end of each literal is met last.
        for (let at = literal.lastIndexOf(start); at > 0; at = literal.lastIndexOf(start, at - 1)) {
          const length = literal.length - at
          if (length > end && text.startsWith(literal.slice(at))) end = length
        }
      }
      return end
    },
  }
}

const fold = (text: string, at: number): number => ((text.charCodeAt(at) << 8) ^ text.charCodeAt(at + 1)) & 0xffff

function endOfLongest(text: string, at: number, bucket: readonly string[] = []): number {
  let end = at
  for (const literal of bucket) if (at + literal.length > end && text.startsWith(literal, at)) end = at + literal.length
  return end
}

function beginsAt(text: string, at: number, bucket: readonly string[] = []): boolean {
  if (bucket.length === 0) return false
  const rest = text.slice(at)
  return bucket.some((literal) => literal.length > rest.length && literal.startsWith(rest))
}
