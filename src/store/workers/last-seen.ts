import type { ChangeFeed, Store } from '../store.ts'
import { touchWorkers } from './workers.ts'

/** When workers were heard of last is written this long after the first of them, for all of them at once. */
const GATHER_MS = 1_000

/** Who was heard of and is not written down yet. */
interface LastSeen {
  note(id: string): void
  /** Writes at once what waits. */
  flush(): Promise<void>
}

const byFeed = new WeakMap<ChangeFeed, LastSeen>()

/** Notes that a worker was heard of: one write a second for all of them, however many speak. */
export function lastSeen(store: Pick<Store, 'db' | 'changes'>): LastSeen {
  const there = byFeed.get(store.changes)
  if (there) return there
  let heard = new Set<string>()
  let timer: NodeJS.Timeout | undefined
  const seen: LastSeen = {
    note(id) {
      heard.add(id)
      // A second of it may be lost; nobody has to wait for it.
      timer ??= setTimeout(() => void seen.flush().catch(() => {}), GATHER_MS).unref()
    },
    async flush() {
      clearTimeout(timer)
      timer = undefined
      const ids = [...heard]
      heard = new Set()
      await touchWorkers(store.db, ids)
    },
  }
  byFeed.set(store.changes, seen)
  return seen
}
