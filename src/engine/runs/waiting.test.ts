import { describe, expect, it } from 'vitest'
import { configOf, land, propose, runsOf } from '../testing/flows.ts'
import { leaseOne } from '../testing/puppet.ts'
import { useWorld } from '../testing/use-world.ts'
import { whyWaiting } from './waiting.ts'

describe('what a queued run waits for', () => {
  const { harness, world } = useWorld({
    files: { 'trueup.yaml': configOf({ a: {}, b: { needs: ['a'] } }), 'a/value': '1', 'b/value': '1' },
  })

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
