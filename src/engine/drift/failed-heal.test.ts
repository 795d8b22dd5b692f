import { expect, it } from 'vitest'
import { audited, configOf, runsOf, stackOf } from '../testing/flows.ts'
import { applyOne, leaseOne, planOne } from '../testing/puppet.ts'
import { useWorld } from '../testing/use-world.ts'
import { checkNow, healNow } from './actions.ts'
import { scheduleDrift } from './schedule.ts'

const KEY = 'production/a'
const environments = { production: { drift: { mode: 'enforce' } } }

const { harness, world } = useWorld({
  still: true,
  files: { 'trueup.yaml': configOf({ a: {} }, { environments }), 'a/value': '1' },
})

const wish = async () => ({ stackId: (await stackOf(harness, KEY)).id, actorId: harness.users.second.id })

/** Time goes on as the clock does it: checks that are due, and what they order. */
const later = async (ms: number) => {
  harness.clock.advance(ms)
  await scheduleDrift(harness.engine.parts)
  await world.work()
}

it('that fails half-way is tried again by itself, with growing delays, until it works', async () => {
  world.things.set(KEY, 'tampered')
  world.failing.add(KEY)
  await checkNow(harness.engine.parts, await wish())
  await world.work()
  expect(await stackOf(harness, KEY)).toMatchObject({ brokenByRunId: null, status: 'failed' })
  expect(await audited(harness, 'stack.heal_failed')).toMatchObject([{ data: { done: ['half'] } }])

  await later(5_000)
  const second = await runsOf(harness, { kind: 'heal' })
  expect(second.map((run) => run.state)).toEqual(['failed', 'failed'])
  await later(5_000)
  expect(await runsOf(harness, { kind: 'heal', state: 'queued' })).toMatchObject([{ reason: 'backoff' }])
  world.failing.clear()
  await later(60_000)
  expect(world.things.get(KEY)).toBe('1')
  await later(10_000)
  expect(await stackOf(harness, KEY)).toMatchObject({ status: 'in_sync', brokenByRunId: null })
})

it('that was canceled while it applied waits for a person, who may heal again', async () => {
  world.things.set(KEY, 'tampered')
  await checkNow(harness.engine.parts, await wish())
  const check = (await leaseOne(harness))!
  await planOne(harness, check, world.script)
  await harness.settle()
  const grant = (await leaseOne(harness))!
  await planOne(harness, grant, world.script)
  await applyOne(harness, grant, { ...world.script, apply: () => ({ status: 'canceled' }) })
  const held = { runId: grant.runId, fence: grant.fence }
  await harness.engine.worker.call(harness.workerId, 'finish', { ...held, status: 'canceled', verify: [] })
  expect(await stackOf(harness, KEY)).toMatchObject({ brokenByRunId: grant.runId, status: 'failed' })
  await later(60 * 60_000)
  expect(world.things.get(KEY)).toBe('tampered')

  await healNow(harness.engine.parts, await wish())
  await world.work()
  expect(world.things.get(KEY)).toBe('1')
  expect(await stackOf(harness, KEY)).toMatchObject({ status: 'in_sync', brokenByRunId: null })
})
