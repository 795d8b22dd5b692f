import { beforeEach, expect, it } from 'vitest'
import { configOf, stackOf } from '../testing/flows.ts'
import { leaseOne, planOne } from '../testing/puppet.ts'
import { useWorld } from '../testing/use-world.ts'
import { checkNow } from './actions.ts'
import { scheduleDrift } from './schedule.ts'

const { harness, world } = useWorld({ leaseMs: 60_000, files: { 'trueup.yaml': configOf({ a: {} }), 'a/value': '1' } })
beforeEach(async () => {
  await world.work()
})

it('an event during a long check is followed by another check as soon as that one is over', async () => {
  const { id: stackId } = await stackOf(harness, 'production/a')
  const event = () => harness.engine.worker.call(harness.workerId, 'drifted', { stackId, addresses: ['thing'] })
  await event()
  const grant = (await leaseOne(harness))!
  expect(grant.kind).toBe('drift')
  await harness.engine.worker.call(harness.workerId, 'state', {
    runId: grant.runId,
    fence: grant.fence,
    state: 'preparing',
  })
  await event()
  // The check takes longer than it takes until the next try.
  for (let round = 0; round < 5; round++) {
    harness.clock.advance(1_100)
    await scheduleDrift(harness.engine.parts)
  }
  await planOne(harness, grant, world.script)
  harness.clock.advance(1_100)
  await scheduleDrift(harness.engine.parts)
  const next = await leaseOne(harness)
  expect(next).toMatchObject({ kind: 'drift', stack: { name: 'a' } })
  expect(next?.runId).not.toBe(grant.runId)
})

it('who asks for a check while one is under way gets that one, and another follows', async () => {
  const { id: stackId } = await stackOf(harness, 'production/a')
  await harness.engine.worker.call(harness.workerId, 'drifted', { stackId, addresses: ['thing'] })
  const asked = () => checkNow(harness.engine.parts, { stackId, actorId: harness.users.second.id })
  const grant = (await leaseOne(harness))!
  expect(await asked()).toMatchObject({ id: grant.runId, kind: 'drift' })
  await planOne(harness, grant, world.script)
  harness.clock.advance(1_100)
  await scheduleDrift(harness.engine.parts)
  const next = (await leaseOne(harness))!
  expect(next.runId).not.toBe(grant.runId)
  expect(await asked()).toMatchObject({ id: next.runId })
})
