import { LEASED_STATES } from '../../domain/runs/run.ts'
import { nowOf, type Queries } from '../database/context.ts'

/** How much of a pool's work waits for nothing but a worker, and how much is under way. */
export interface QueueDepth {
  pool: string
  waiting: number
  /** When the one that waits longest was ordered, or could begin first; null where none waits. */
  oldestAt: number | null
  running: number
}

/** Of every pool that has runs which could begin or are under way. */
export async function queueDepths(db: Queries): Promise<QueueDepth[]> {
  const now = nowOf(db)
  const waiting = await db
    .selectFrom('runs')
    .select(({ fn }) => [
      'pool',
      fn.countAll<number>().as('runs'),
      fn.min(fn.coalesce('notBefore', 'createdAt')).as('oldestAt'),
    ])
    .where('state', '=', 'queued')
    .where('ready', '=', 1)
    .where('cancelRequestedAt', 'is', null)
    .where((is) => is.or([is('notBefore', 'is', null), is('notBefore', '<=', now)]))
    .groupBy('pool')
    .execute()
  const running = await db
    .selectFrom('runs')
    .select(({ fn }) => ['pool', fn.countAll<number>().as('runs')])
    .where('state', 'in', [...LEASED_STATES])
    .groupBy('pool')
    .execute()
  const depths = new Map<string, QueueDepth>()
  for (const { pool, runs, oldestAt } of waiting)
    depths.set(pool, { pool, waiting: Number(runs), oldestAt: Number(oldestAt), running: 0 })
  for (const { pool, runs } of running) {
    const depth = depths.get(pool) ?? { pool, waiting: 0, oldestAt: null, running: 0 }
    depths.set(pool, { ...depth, running: Number(runs) })
  }
  return [...depths.values()].sort((a, b) => (a.pool < b.pool ? -1 : 1))
}
