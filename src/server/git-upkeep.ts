import { setTimeout } from 'node:timers/promises'
import { dropMergeResults } from '../engine/merge-requests/drop-results.ts'
import type { GitService } from '../git/repository.ts'
import type { Logger } from '../lib/log.ts'
import { allRepositories } from '../store/changes/repositories.ts'
import type { Store } from '../store/open.ts'

const EVERY_MS = 10 * 60_000
const DROP_EVERY_MS = 24 * 3_600_000
/** A quarter of a year after a merge request was merged or closed nobody looks at what its merge would have been. */
const KEEP_RESULTS_MS = 90 * 24 * 3_600_000

/** Drops refs that nobody needs any more once a day, and packs one repository after the other, again and again, whatever there is to gain. The answer ends it. */
export function startGitUpkeep(
  { store, git, log }: { store: Store; git: GitService; log: Logger },
  isUsable: (repositoryId: string) => boolean,
): () => Promise<void> {
  const over = new AbortController()
  const rounds = async (): Promise<void> => {
    while (!over.signal.aborted) {
      await setTimeout(EVERY_MS, undefined, { signal: over.signal, ref: false })
      await all().catch((error: unknown) => log.error({ err: error }, 'looking after repositories'))
    }
  }
  let droppedAt = 0
  async function all(): Promise<void> {
    const now = store.clock.now()
    const isDue = now - droppedAt >= DROP_EVERY_MS
    if (isDue) droppedAt = now
    for (const { id, name } of await allRepositories(store.db)) {
      if (over.signal.aborted) return
      if (!isUsable(id)) continue
      const began = performance.now()
      try {
        if (isDue) {
          const order = { repositoryId: id, before: now - KEEP_RESULTS_MS, signal: over.signal }
          const refs = await dropMergeResults(store.db, git.repository(id), order)
          if (refs > 0) log.info({ repository: name, refs }, 'refs of merge results dropped')
        }
        const packed = await git.repository(id).maintain(over.signal)
        if (packed) log.info({ repository: name, ms: Math.round(performance.now() - began) }, 'repository packed')
      } catch (error) {
        if (!over.signal.aborted) log.warn({ err: error, repository: name }, 'repository not packed')
      }
    }
  }
  const running = rounds().catch(() => {})
  return async () => {
    over.abort()
    await running
  }
}
