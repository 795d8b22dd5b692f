import { Registry } from 'prom-client'
import { expect, it } from 'vitest'
import { MOST_POOLS, measureQueues } from './queue-metrics.ts'

const NOW = 1_000_000
const queue = (
  pool: string,
  facts: { waiting?: number; oldestAt?: number; running?: number; enrolled?: boolean } = {},
) => ({
  pool,
  waiting: 0,
  oldestAt: null,
  running: 0,
  workers: 1,
  enrolled: true,
  ...facts,
})

async function seriesOf(queues: ReturnType<typeof queue>[], name: string): Promise<Map<string, number>> {
  const registry = new Registry()
  measureQueues({ registry }, { now: () => NOW } as never, async () => queues)
  const text = await registry.getSingleMetricAsString(name)
  return new Map([...text.matchAll(/pool="([^"]*)"\} (\d+)/g)].map(([, pool, value]) => [pool!, Number(value)]))
}

it('has a series for each pool that somebody is enrolled for, and one for all other names', async () => {
  const queues = [queue('a', { waiting: 2, oldestAt: NOW - 3_000 }), queue('made-up', { waiting: 1, enrolled: false })]
  expect(await seriesOf(queues, 'trueup_queue_waiting')).toEqual(
    new Map([
      ['a', 2],
      ['', 1],
    ]),
  )
  expect(await seriesOf(queues, 'trueup_queue_oldest_seconds')).toEqual(
    new Map([
      ['a', 3],
      ['', 0],
    ]),
  )
})

it('has a bounded number of series, of the pools with work first, and loses nothing of the others', async () => {
  const idle = Array.from({ length: 3 * MOST_POOLS }, (_, at) => queue(`p${at}`))
  const queues = [...idle, queue('works', { running: 1 }), queue('waits', { waiting: 4, oldestAt: NOW - 9_000 })]
  const workers = await seriesOf(queues, 'trueup_queue_workers')
  expect(workers.size).toBe(MOST_POOLS + 1)
  expect([...workers.values()].reduce((sum, value) => sum + value)).toBe(queues.length)
  expect((await seriesOf(queues, 'trueup_queue_waiting')).get('waits')).toBe(4)
  expect((await seriesOf(queues, 'trueup_queue_running')).get('works')).toBe(1)
})
