import { beforeEach, describe, expect, it } from 'vitest'
import { takeBackLeases } from '../clock.ts'
import { approve, approveWaiting, configOf, land, merge, propose, runsOf, stackOf } from '../testing/flows.ts'
import { leaseOne, planOne } from '../testing/puppet.ts'
import { useWorld } from '../testing/use-world.ts'
import { checkNow } from './actions.ts'

const KEY = 'production/a'
const ENFORCED = { environments: { production: { approvals: { required: 1 }, drift: { mode: 'enforce' } } } }

describe('a heal that waits', () => {
  const { harness, world } = useWorld({
    still: true,
    files: { 'trueup.yaml': configOf({ a: { onRemove: 'destroy' }, b: {} }, ENFORCED), 'a/value': '1', 'b/value': '1' },
  })
  beforeEach(async () => {
    await drift('x')
    expect(world.things.get(KEY)).toBe('1')
    await drift('y')
    expect(await runsOf(harness, { kind: 'heal', state: 'queued' })).toMatchObject([{ reason: 'backoff' }])
  })

  const drift = async (value: string) => {
    world.things.set(KEY, value)
    await checkNow(harness.engine.parts, {
      stackId: (await stackOf(harness, KEY)).id,
      actorId: harness.users.second.id,
    })
    await world.work()
  }
  const afterBackoff = async () => {
    harness.clock.advance(10_000)
    await world.work()
  }

  it('does not undo what is deployed meanwhile', async () => {
    await land(harness, world, 'two', { 'a/value': '2' })
    expect(await runsOf(harness, { kind: 'heal', state: 'superseded' })).toMatchObject([{ reason: 'newer_merge' }])
    await world.work()
    await afterBackoff()
    expect(world.things.get(KEY)).toBe('2')
    expect(await stackOf(harness, KEY)).toMatchObject({ status: 'in_sync' })
  })

  it('does not touch a stack that a deployment broke meanwhile', async () => {
    await land(harness, world, 'two', { 'a/value': '2' })
    world.failing.add(KEY)
    await world.work()
    world.failing.clear()
    await afterBackoff()
    expect(world.things.get(KEY)).toBe('y')
    expect(await stackOf(harness, KEY)).toMatchObject({ status: 'failed' })
  })

  it('does not bring back what is destroyed meanwhile', async () => {
    const mr = await propose(harness, 'remove', { 'trueup.yaml': configOf({ b: {} }, ENFORCED) })
    await world.work()
    await approve(harness, mr.id)
    await merge(harness, mr.id)
    await world.work()
    await afterBackoff()
    expect(world.things.has(KEY)).toBe(false)
  })

  it('is given up when it begins, where the merge came while a worker held it and lost it', async () => {
    harness.clock.advance(10_000)
    const heal = await leaseOne(harness)
    expect(heal).toMatchObject({ kind: 'heal' })
    await land(harness, world, 'two', { 'a/value': '2' })
    harness.clock.advance(31_000)
    await takeBackLeases(harness.engine.parts)
    await world.work()
    expect(world.things.get(KEY)).toBe('2')
    expect(await runsOf(harness, { kind: 'heal', state: 'superseded' })).toMatchObject([{ reason: 'overtaken' }])
  })

  it('goes on after its own worker was lost while applying', async () => {
    harness.clock.advance(10_000)
    const heal = (await leaseOne(harness))!
    expect(await planOne(harness, heal, world.script)).toMatchObject({ action: 'apply' })
    harness.clock.advance(31_000)
    await takeBackLeases(harness.engine.parts)
    const again = (await leaseOne(harness))!
    expect(again).toMatchObject({ kind: 'heal' })
    expect(again.runId).not.toBe(heal.runId)
    expect(await planOne(harness, again, world.script)).toMatchObject({ reason: 'previous_attempt_lost' })
    await approveWaiting(harness, (await runsOf(harness, { state: 'awaiting_approval' }))[0]!)
    await world.work()
    expect(world.things.get(KEY)).toBe('1')
  })
})
