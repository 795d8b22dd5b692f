/** The same numbers every time (mulberry32): a benchmark that differs between machines by luck compares nothing. */
export interface Random {
  /** A whole number from 0 to below `limit`. */
  below(limit: number): number
  /** `count` different whole numbers from 0 to below `limit`. */
  several(count: number, limit: number): number[]
  shuffle<T>(items: readonly T[]): T[]
}

export function createRandom(seed: number): Random {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (limit: number): number => Math.floor(next() * limit)
  return {
    below,
    several(count, limit) {
      const chosen = new Set<number>()
      while (chosen.size < Math.min(count, limit)) chosen.add(below(limit))
      return [...chosen]
    },
    shuffle(items) {
      const shuffled = [...items]
      for (let at = shuffled.length - 1; at > 0; at--) {
        const other = below(at + 1)
        const item = shuffled[at]!
        shuffled[at] = shuffled[other]!
        shuffled[other] = item
      }
      return shuffled
    },
  }
}
