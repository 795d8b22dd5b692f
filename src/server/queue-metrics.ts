import { Gauge } from 'prom-client'
import type { Clock } from '../lib/clock.ts'
import type { Metrics } from './metrics.ts'

interface QueueSeen {
  pool: string
  waiting: number
  oldestAt: number | null
  running: number
  workers: number
  enrolled: boolean
}

/**
 * Pools that have series of their own. Each has four, and all are written in one piece: with 10,000 pools the server stood still
 * for 219 ms at each scrape (1 December 2026).
 */
export const MOST_POOLS = 200

/**
 * What waits for workers, for whoever scales them; counted when somebody asks. Pools that nobody is enrolled for are one
 * series together (`pool=""`): a branch can name any. So are those beyond `MOST_POOLS`, that have least to do.
 */
export function measureQueues(
  { registry }: Pick<Metrics, 'registry'>,
  clock: Clock,
  look: () => Promise<QueueSeen[]>,
): void {
  const now = (): number => clock.now()
  // All are collected at once, and look once together.
  let looking: Promise<Map<string, QueueSeen[]>> | undefined
  const seen = (): Promise<Map<string, QueueSeen[]>> =>
    (looking ??= look()
      .then(bySeries)
      .finally(() => (looking = undefined)))
  const gauge = (name: string, help: string, valueOf: (queues: QueueSeen[]) => number): void => {
    const its: Gauge<'pool'> = new Gauge({
      name: `trueup_queue_${name}`,
      help,
      labelNames: ['pool'],
      registers: [registry],
      async collect() {
        const series = await seen()
        its.reset()
        for (const [pool, queues] of series) its.set({ pool }, valueOf(queues))
      },
    })
  }
  const age = ({ oldestAt }: QueueSeen): number => (oldestAt === null ? 0 : Math.max(0, (now() - oldestAt) / 1000))
  const sum =
    (member: 'waiting' | 'running' | 'workers') =>
    (queues: QueueSeen[]): number =>
      queues.reduce((total, queue) => total + queue[member], 0)
  gauge('waiting', 'Runs that wait for nothing but a worker.', sum('waiting'))
  gauge('oldest_seconds', 'How long the run waits that has waited longest for a worker.', (queues) =>
    queues.reduce((oldest, queue) => Math.max(oldest, age(queue)), 0),
  )
  gauge('running', 'Runs that workers of the pool hold.', sum('running'))
  gauge('workers', 'Workers of the pool that are connected.', sum('workers'))
}

function bySeries(queues: readonly QueueSeen[]): Map<string, QueueSeen[]> {
  const enrolled = queues.filter((queue) => queue.enrolled)
  const own = new Set(enrolled.length <= MOST_POOLS ? enrolled : busiest(enrolled))
  const others = queues.filter((queue) => !own.has(queue))
  const series = new Map([...own].map((queue) => [queue.pool, [queue]]))
  return others.length === 0 ? series : series.set('', others)
}

/** Those that wait longest first, then those that work, then by name, so that the idle ones are the same at each look. */
function busiest(queues: readonly QueueSeen[]): QueueSeen[] {
  const idle = queues.filter(({ waiting, running }) => waiting + running === 0)
  const busy = queues.filter(({ waiting, running }) => waiting + running > 0)
  busy.sort((a, b) => (a.oldestAt ?? Infinity) - (b.oldestAt ?? Infinity))
  return [...busy, ...idle].slice(0, MOST_POOLS)
}
