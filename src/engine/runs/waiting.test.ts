import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { bootstrap, configOf, land, propose, runsOf } from '../testing/flows.ts'
import { type EngineHarness, startHarness } from '../testing/harness.ts'
import { leaseOne } from '../testing/puppet.ts'
import { createWorld, type World } from '../testing/world.ts'
import { whyWaiting } from './waiting.ts'

describe('what a queued run waits for', () => {
  let harness: EngineHarness
  let world: World
  beforeEach(async () => {
    harness = await startHarness()
    world = createWorld(harness)
    const config = configOf({ a: {}, b: { needs: ['a'] } })
    await bootstrap(harness, world, { 'trueup.yaml': config, 'a/value': '1', 'b/value': '1' })
  })
  afterEach(() => harness.stop())

  const why = async (stack: string) => {
    const [run] = await runsOf(harness, { stack, state: 'queued' })
    return await whyWaiting(harness.engine.parts, run!)
  }
  const connected = async () => {
    harness.engine.worker.subscribe(harness.workerId, () => {})
    // The pools of a worker are read first.
    await expect.poll(() => harness.engine.parts.hub.connected()[0]?.pools).toEqual(['default'])
  }

  it('is a worker, until one of its pool is connected', async () => {
    await propose(harness, 'two', { 'a/value': '2' })
    expect(await why('production/a')).toContain('no worker of pool "default" is connected')
    await connected()
    expect(await why('production/a')).toBeNull()
  })

  it('is another stack whose run waits for a person', async () => {
    await land(harness, world, 'two', { 'a/value': '2', 'b/value': '2' })
    world.things.set('production/a', 'foreign')
    await world.work()
    expect(await why('production/b')).toMatch(
      /^waits for production\/a: run run_\w+ is waiting for approval \(plan changed\)/,
    )
  })

  it('is the run of an earlier merge', async () => {
    await land(harness, world, 'two', { 'a/value': '2' })
    const grant = await leaseOne(harness)
    await land(harness, world, 'three', { 'a/value': '3' })
    expect(await why('production/a')).toBe(`waits for run ${grant!.runId} of the same stack: taken by a worker`)
  })
})
