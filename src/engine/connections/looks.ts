import { TrueupError } from '../../lib/errors/error.ts'
import { connectionOf, connectionsDue, patchConnection } from '../../store/forges/connections.ts'
import { enqueueTask } from '../../store/runs/tasks.ts'
import { syncRefs } from '../changes/ref-sync.ts'
import type { EngineParts } from '../parts.ts'

/** Between two looks that nobody asked for; a webhook only makes one come sooner. */
export const LOOK_EVERY_MS = 60_000

/** Orders a look at each connected repository that is due for one. */
export async function orderLooks({ store }: EngineParts): Promise<void> {
  const now = store.clock.now()
  const due = await connectionsDue(store.db, now)
  if (due.length === 0) return
  await store.transaction(async (tx) => {
    for (const repositoryId of due) {
      const connection = await connectionOf(tx, repositoryId)
      if (!connection) continue
      await patchConnection(tx, connection.id, { nextLookAt: now + LOOK_EVERY_MS })
      await enqueueTask(tx, { kind: 'forge.look', key: repositoryId, payload: { repositoryId } })
    }
  })
}

/**
 * Reads again what the forge says, and follows up what has moved. A forge that is away, or says no, is no failure of this
 * work: the connection says so, and the next look comes by itself.
 */
export async function lookAtForge(parts: EngineParts, repositoryId: string): Promise<void> {
  if (!(await connectionOf(parts.store.db, repositoryId))) return
  const forge = await parts.forges.of(repositoryId)
  try {
    await forge.look(repositoryId)
  } catch (error) {
    if (!(error instanceof TrueupError)) throw error
    parts.log.warn({ repositoryId, err: error }, 'a look at a forge')
  }
  await syncRefs(parts, repositoryId)
}
