import { expect, it } from 'vitest'
import { configOf, propose } from '../testing/flows.ts'
import { leaseOne } from '../testing/puppet.ts'
import { useWorld } from '../testing/use-world.ts'
import { queues } from './queues.ts'

const { harness } = useWorld({
  files: { 'trueup.yaml': configOf({ a: {}, b: {} }), 'a/value': '1', 'b/value': '1' },
})

it('tells of each pool what waits and since when, what runs, and who serves it', async () => {
  const seen = async () => (await queues(harness.engine.parts)).find(({ pool }) => pool === 'default')
  expect(await seen()).toEqual({
    pool: 'default',
    waiting: 0,
    oldestAt: null,
    running: 0,
    workers: 0,
    enrolled: true,
  })
  await propose(harness, 'two', { 'a/value': '2', 'b/value': '2' })
  const now = harness.store.clock.now()
  const both = (await seen())!
  expect(both).toMatchObject({ waiting: 2, running: 0 })
  expect(both.oldestAt).toBeLessThanOrEqual(now)
  await leaseOne(harness)
  expect(await seen()).toMatchObject({ waiting: 1, running: 1 })
  harness.engine.worker.subscribe(harness.workerId, () => {})
  await expect.poll(async () => (await seen())!.workers).toBe(1)
})
