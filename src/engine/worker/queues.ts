import { type QueueDepth, queueDepths } from '../../store/runs/queue-depth.ts'
import { enrolledPools } from '../../store/workers/workers.ts'
import type { EngineParts } from '../parts.ts'

/** A pool as whoever scales its workers wants to know it. */
export interface Queue extends QueueDepth {
  /** Workers that are connected and serve it. */
  workers: number
  /** Somebody was enrolled for it: its name is not only a word that a branch has made up. */
  enrolled: boolean
}

/** Every pool that has work, a connected worker, or one that is enrolled; by name. */
export async function queues({ store, hub }: Pick<EngineParts, 'store' | 'hub'>): Promise<Queue[]> {
  const enrolled = await enrolledPools(store.db)
  const depths = new Map((await queueDepths(store.db)).map((depth) => [depth.pool, depth]))
  return [...new Set([...depths.keys(), ...enrolled])].sort().map((pool) => ({
    ...(depths.get(pool) ?? { pool, waiting: 0, oldestAt: null, running: 0 }),
    workers: hub.serving(pool).length,
    enrolled: enrolled.has(pool),
  }))
}
