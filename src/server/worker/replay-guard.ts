/** Remembers the ids of signed tokens for as long as they could be used again. */
export interface ReplayGuard {
  /** True the first time; false for a repeat within the life of the token. `until`: milliseconds, when it expires. */
  firstUse(id: string, until: number, now: number): boolean
}

export function createReplayGuard(): ReplayGuard {
  const seen = new Map<string, number>()
  let nextSweep = 0
  return {
    firstUse(id, until, now) {
      if (now >= nextSweep) {
        for (const [other, expires] of seen) if (expires < now) seen.delete(other)
        nextSweep = now + 10_000
      }
      const known = seen.get(id)
      if (known !== undefined && known >= now) return false
      seen.set(id, until)
      return true
    },
  }
}
