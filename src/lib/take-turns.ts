/** Work of one key, one after the other; other keys go on beside it. */
export interface Turns {
  take<T>(key: string, work: () => Promise<T>): Promise<T>
}

/**
 * Within this process only: follow-up work of one thing is serialised by its task already, and this keeps a request of a
 * person that does the same work at once from running beside it.
 */
export function createTurns(): Turns {
  const last = new Map<string, Promise<unknown>>()
  return {
    async take(key, work) {
      const before = last.get(key) ?? Promise.resolve()
      const mine = before.then(work, work)
      last.set(key, mine)
      try {
        return await mine
      } finally {
        if (last.get(key) === mine) last.delete(key)
      }
    },
  }
}
