import { describe, expect, it } from 'vitest'
import { retryRun } from '../runs/retry.ts'
import { cancelRun } from '../runs/actions.ts'
import { approve, configOf, land, merge, propose, runsOf, stackOf } from '../testing/flows.ts'
import type { EngineHarness } from '../testing/harness.ts'
import { useWorld } from '../testing/use-world.ts'

const CHAIN = configOf({ a: {}, b: { needs: ['a'] }, c: { needs: ['b'] } })
const files = (value: string) => ({ 'a/value': value, 'b/value': value, 'c/value': value })
const states = async (harness: EngineHarness) =>
  Object.fromEntries(
    await Promise.all(
      ['a', 'b', 'c'].map(async (name) => [name, (await stackOf(harness, `production/${name}`)).status] as const),
    ),
  )

describe('deployments of stacks that need each other', () => {
  const { harness, world } = useWorld({ files: { 'trueup.yaml': CHAIN, ...files('1') } })

  it('go in the order of their needs', async () => {
    await land(harness, world, 'two', files('2'))
    await world.work()
    expect(world.applied).toEqual(['production/a=2', 'production/b=2', 'production/c=2'])
    expect(await states(harness)).toEqual({ a: 'in_sync', b: 'in_sync', c: 'in_sync' })
  })

  it('wait for each other through a stack that does not change', async () => {
    await land(harness, world, 'two', { 'a/value': '2', 'c/value': '2' })
    world.failing.add('production/a')
    await world.work()
    expect(world.applied).toEqual([])
    expect(await states(harness)).toEqual({ a: 'failed', b: 'in_sync', c: 'blocked' })
  })

  it('are blocked by a failure above them, and go on when a retry succeeds', async () => {
    world.failing.add('production/a')
    await land(harness, world, 'two', files('2'))
    await world.work()
    expect(await states(harness)).toEqual({ a: 'failed', b: 'blocked', c: 'blocked' })
    const [blocked] = await runsOf(harness, { stack: 'production/b', state: 'blocked' })
    expect(blocked).toMatchObject({ reason: 'upstream_failed', message: expect.stringContaining('production/a') })

    world.failing.clear()
    const [failed] = await runsOf(harness, { stack: 'production/a', state: 'failed' })
    await retryRun(harness.engine.parts, { runId: failed!.id, actorId: harness.users.second.id })
    await world.work()
    expect(world.applied).toEqual(['production/a=2', 'production/b=2', 'production/c=2'])
    expect(await states(harness)).toEqual({ a: 'in_sync', b: 'in_sync', c: 'in_sync' })
  })

  it('go on when a later merge puts right what failed above them', async () => {
    world.failing.add('production/a')
    await land(harness, world, 'two', files('2'))
    await world.work()
    world.failing.clear()
    await land(harness, world, 'three', { 'a/value': '3' })
    await world.work()
    expect(world.applied).toEqual(['production/a=3', 'production/b=2', 'production/c=2'])
  })

  it('of a later merge are blocked while what they need is behind Git', async () => {
    world.failing.add('production/a')
    await land(harness, world, 'two', { 'a/value': '2' })
    await world.work()
    await land(harness, world, 'other', { 'b/value': '9' })
    await world.work()
    expect(await states(harness)).toMatchObject({ a: 'failed', b: 'blocked' })
    world.failing.clear()
    const [failed] = await runsOf(harness, { stack: 'production/a', state: 'failed' })
    await retryRun(harness.engine.parts, { runId: failed!.id, actorId: harness.users.second.id })
    await world.work()
    expect(world.applied).toEqual(['production/a=2', 'production/b=9'])
  })

  it('go on when they no longer need what failed', async () => {
    world.failing.add('production/a')
    await land(harness, world, 'two', files('2'))
    await world.work()
    expect(await states(harness)).toMatchObject({ a: 'failed', b: 'blocked', c: 'blocked' })
    const mr = await propose(harness, 'cut', { 'trueup.yaml': configOf({ b: {}, c: { needs: ['b'] } }) })
    await world.work()
    await approve(harness, mr.id)
    await merge(harness, mr.id)
    await world.work()
    expect(world.applied).toEqual(['production/b=2', 'production/c=2'])
  })

  it('say that they are blocked below a blocked one, by merges that come later, too', async () => {
    world.failing.add('production/a')
    await land(harness, world, 'two', { 'a/value': '2', 'b/value': '2' })
    await world.work()
    await land(harness, world, 'other', { 'c/value': '9' })
    await world.work()
    expect(await states(harness)).toMatchObject({ a: 'failed', b: 'blocked', c: 'blocked' })
    await land(harness, world, 'both', { 'b/value': '9', 'c/value': '10' })
    await world.work()
    expect(await states(harness)).toMatchObject({ a: 'failed', b: 'blocked', c: 'blocked' })
    world.failing.clear()
    const [failed] = await runsOf(harness, { stack: 'production/a', state: 'failed' })
    await retryRun(harness.engine.parts, { runId: failed!.id, actorId: harness.users.second.id })
    await world.work()
    expect(world.applied).toEqual(['production/a=2', 'production/b=9', 'production/c=10'])
  })

  it('are blocked when what they wait for is canceled', async () => {
    await land(harness, world, 'two', files('2'))
    const [queued] = await runsOf(harness, { stack: 'production/a', state: 'queued' })
    await cancelRun(harness.engine.parts, { runId: queued!.id, actorId: harness.users.second.id })
    await world.work()
    expect(world.applied).toEqual([])
    expect(await states(harness)).toEqual({ a: 'pending', b: 'blocked', c: 'blocked' })
  })

  it('are enacted merge by merge, each with what it was approved for', async () => {
    await land(harness, world, 'two', { 'a/value': '2' })
    await land(harness, world, 'three', { 'a/value': '3' })
    await world.work()
    expect(world.applied).toEqual(['production/a=2', 'production/a=3'])
    const sequences = (await runsOf(harness, { kind: 'deploy', stack: 'production/a' })).map((run) => run.mergeSequence)
    expect(sequences).toEqual([...sequences].sort((x, y) => y! - x!))
  })
})
