import { beforeEach, describe, expect, it } from 'vitest'
import { bootstrap, configOf, land, runsOf } from '../testing/flows.ts'
import { leaseOne } from '../testing/puppet.ts'
import { useWorld } from '../testing/use-world.ts'
import { cancelRun } from './actions.ts'

describe('a run that somebody cancels while a worker holds it', () => {
  const { harness, world } = useWorld()
  beforeEach(async () => {
    const config = configOf({ a: {}, b: { needs: ['a'] } })
    await bootstrap(harness, world, { 'trueup.yaml': config, 'a/value': '1', 'b/value': '1' })
    await land(harness, world, 'two', { 'a/value': '2', 'b/value': '2' })
  })

  it('is canceled when its worker comes back without it, and what waits for it is blocked', async () => {
    const grant = await leaseOne(harness)
    await cancelRun(harness.engine.parts, { runId: grant!.runId, actorId: harness.users.second.id })
    await harness.engine.worker.call(harness.workerId, 'hello', {
      protocol: 1,
      hostname: 'puppet',
      version: '1.0.0',
      pools: ['default'],
      slots: 1,
      holding: [],
    })
    await world.work()
    expect(await runsOf(harness, { kind: 'deploy', stack: 'production/a', state: 'canceled' })).toMatchObject([
      { id: grant!.runId, reason: 'canceled_by_user' },
    ])
    expect(await runsOf(harness, { stack: 'production/b', state: 'blocked' })).toHaveLength(1)
  })

  it('is canceled when its worker gives it back', async () => {
    const { runId, fence } = (await leaseOne(harness))!
    await cancelRun(harness.engine.parts, { runId, actorId: harness.users.second.id })
    const returned = { runId, fence, status: 'returned' as const, verify: [] }
    await harness.engine.worker.call(harness.workerId, 'finish', returned)
    await world.work()
    expect(await runsOf(harness, { state: 'canceled' })).toMatchObject([{ id: runId }])
    expect(await runsOf(harness, { stack: 'production/b', state: 'blocked' })).toHaveLength(1)
  })
})
