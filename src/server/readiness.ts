import type { Store } from '../store/open.ts'
import { setMeta } from '../store/database/meta.ts'

/** A probe comes every second from each of several sides; one write in this time is enough. Milliseconds. */
const EVERY_MS = 5_000

/** Whether the database takes writes: a server that can only read accepts pushes it cannot record. */
export function createReadiness(store: Store): () => Promise<boolean> {
  let known: { at: number; writes: Promise<boolean> } | null = null
  const write = async (): Promise<boolean> => {
    try {
      await store.transaction((tx) => setMeta(tx, 'readiness', String(Date.now())))
      return true
    } catch {
      return false
    }
  }
  return () => {
    if (known === null || performance.now() - known.at > EVERY_MS) known = { at: performance.now(), writes: write() }
    return known.writes
  }
}
