import { setTimeout } from 'node:timers/promises'
import type { GitService } from '../git/repository.ts'
import type { Logger } from '../lib/log.ts'
import { allRepositories } from '../store/changes/repositories.ts'
import type { Store } from '../store/open.ts'

const EVERY_MS = 10 * 60_000

/** Packs one repository after the other, again and again, whatever there is to gain. The answer ends it. */
export function startGitUpkeep(
  { store, git, log }: { store: Store; git: GitService; log: Logger },
  isUsable: (repositoryId: string) => boolean,
): () => Promise<void> {
  const over = new AbortController()
  const rounds = async (): Promise<void> => {
    while (!over.signal.aborted) {
      await setTimeout(EVERY_MS, undefined, { signal: over.signal, ref: false })
      await packAll().catch((error: unknown) => log.error({ err: error }, 'looking after repositories'))
    }
  }
  async function packAll(): Promise<void> {
    for (const { id, name } of await allRepositories(store.db)) {
      if (over.signal.aborted) return
      if (!isUsable(id)) continue
      const began = performance.now()
      try {
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
