import type { Queries } from '../database/context.ts'
import type { Store } from '../store.ts'

/** What a portion of work may take: everything else that writes waits as long, and should not notice. */
const AIM_MS = 8
const LARGEST = 1_000

/**
 * Does `work` in transactions of their own until it finds nothing more, and answers how much it found. It gets how many
 * rows it may touch, which are as many as fit the time that one transaction may take. `dryRun`: it only reads, in none.
 */
export async function inPortions(
  store: Store,
  { dryRun = false, signal }: { dryRun?: boolean; signal?: AbortSignal },
  work: (db: Queries, most: number) => Promise<number>,
): Promise<number> {
  let all = 0
  let most = 20
  const timed = async (db: Queries): Promise<{ done: number; took: number }> => {
    const began = performance.now()
    return { done: await work(db, most), took: performance.now() - began }
  }
  while (!signal?.aborted) {
    const { done, took } = dryRun ? await timed(store.db) : await store.transaction(timed)
    if (done === 0) break
    all += done
    most = Math.min(Math.max(Math.floor((most * AIM_MS) / Math.max(took, 0.1)), 1), most * 2, LARGEST)
    // Requests that wait for their turn have it.
    await new Promise((resolve) => setImmediate(resolve))
  }
  return all
}
