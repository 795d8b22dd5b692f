import { freePages, giveBackPages } from '../database/sqlite/vacuum.ts'
import type { Store } from '../store.ts'
import { inPortions } from './portions.ts'

/** Free pages that stay: what comes next is written there, and a file that shrinks and grows every day falls to pieces. */
const KEPT_FREE = { pages: 2_000, share: 0.05 }

/**
 * Gives free pages of an embedded database back to the disk, a few in a transaction. Answers how many bytes. Nothing where the
 * database was made before it could: `trueup database vacuum` changes that.
 */
export async function giveBackFree(
  store: Store,
  { signal, kept = KEPT_FREE }: { signal?: AbortSignal; kept?: typeof KEPT_FREE } = {},
): Promise<number> {
  if (store.dialect !== 'sqlite') return 0
  const before = await freePages(store.db)
  if (before.mode !== 'incremental') return 0
  const wanted = before.free - Math.max(kept.pages, Math.ceil(before.pages * kept.share))
  if (wanted <= 0) return 0
  let left = wanted
  await inPortions(store, { signal }, async (tx, most) => {
    const some = Math.min(most, left)
    await giveBackPages(tx, some)
    left -= some
    return some
  })
  return (before.pages - (await freePages(store.db)).pages) * before.pageSize
}
