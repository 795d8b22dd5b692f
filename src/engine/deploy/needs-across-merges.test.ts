import { describe, expect, it } from 'vitest'
import { getRun } from '../../store/runs/runs.ts'
import { cancelRun } from '../runs/actions.ts'
import { retryRun } from '../runs/retry.ts'
import { bootstrap, configOf, runsOf, stackOf } from '../testing/flows.ts'
import type { Files } from '../testing/harness.ts'
import { leaseOne, workOne } from '../testing/puppet.ts'
import { useWorld } from '../testing/use-world.ts'

const lab = (stacks: { [name: string]: object }) => configOf(stacks, { environments: { lab: {} } })
const THROUGH_M = { a: {}, m: { needs: ['a'] }, b: { needs: ['m'] } }

describe('what a stack needs and other merges deploy', () => {
  const { harness, world } = useWorld()

  const push = (changes: Files) => harness.push('main', changes)
  const begin = async (stacks: { [name: string]: object }) => {
    const values = Object.keys(stacks).map((name) => [`${name}/value`, '1'] as const)
    await bootstrap(harness, world, { 'trueup.yaml': lab(stacks), ...Object.fromEntries(values) })
  }
  const statusOf = async (name: string) => (await stackOf(harness, `lab/${name}`)).status
  const retry = async (name: string, state: 'failed' | 'canceled' = 'failed') => {
    const [ended] = await runsOf(harness, { stack: `lab/${name}`, state })
    return await retryRun(harness.engine.parts, { runId: ended!.id, actorId: harness.users.second.id })
  }

  it('is waited for through a stack that neither changes', async () => {
    await begin(THROUGH_M)
    await push({ 'a/value': '2' })
    const held = (await leaseOne(harness))!
    await push({ 'b/value': '2' })
    expect(await leaseOne(harness)).toBeNull()
    await workOne(harness, held, world.script)
    await world.work()
    expect(world.applied).toEqual(['lab/a=2', 'lab/b=2'])
  })

  it('blocks through a stack that neither changes', async () => {
    await begin(THROUGH_M)
    world.failing.add('lab/a')
    await push({ 'a/value': '2' })
    await push({ 'b/value': '2' })
    await world.work()
    expect(await stackOf(harness, 'lab/b')).toMatchObject({
      status: 'blocked',
      statusReason: expect.stringContaining('waits for lab/a'),
    })
    await push({ 'b/value': '3' })
    await world.work()
    expect(await statusOf('b')).toBe('blocked')
    world.failing.clear()
    await retry('a')
    await world.work()
    expect(world.applied).toEqual(['lab/a=2', 'lab/b=3'])
  })

  it('is waited for only where the commit says that it is needed', async () => {
    await begin(THROUGH_M)
    world.failing.add('lab/a')
    await push({ 'a/value': '2' })
    await world.work()
    await push({ 'trueup.yaml': lab({ a: {}, m: {}, b: { needs: ['m'] } }), 'b/value': '2' })
    await world.work()
    expect(world.applied).toEqual(['lab/b=2'])
  })

  it('is waited for when the two have changed places', async () => {
    await begin({ x: {}, a: { needs: ['x'] }, b: { needs: ['a'] } })
    world.failing.add('lab/x').add('lab/b')
    await push({ 'x/value': '2', 'a/value': '2', 'b/value': '2' })
    await world.work()
    expect(await statusOf('b')).toBe('blocked')
    await push({ 'trueup.yaml': lab({ x: {}, a: { needs: ['b'] }, b: {} }), 'a/value': '3' })
    await world.work()
    expect(world.applied).toEqual([])
    expect(await statusOf('a')).toBe('blocked')
    world.failing.clear()
    await retry('b')
    await world.work()
    expect(world.applied).toEqual(['lab/b=2', 'lab/a=3'])
  })

  it('does not block when a newer merge has let it go on', async () => {
    await begin({ x: {}, y: {}, a: { needs: ['x'] }, m: { needs: ['a'] }, b: { needs: ['m'] }, c: { needs: ['b'] } })
    world.failing.add('lab/x')
    await push({ 'x/value': '2', 'a/value': '2', 'm/value': '2' })
    await world.work()
    expect(await statusOf('m')).toBe('blocked')
    // Ordered in this order: b behind the blocked m, then a, which lets m and b go on, then c.
    const config = lab({ x: {}, y: {}, m: {}, b: { needs: ['m'] }, a: { needs: ['y'] }, c: { needs: ['b'] } })
    await push({ 'trueup.yaml': config, 'a/value': '3', 'b/value': '3', 'c/value': '3' })
    await world.work()
    expect(world.applied.toSorted()).toEqual(['lab/a=3', 'lab/b=3', 'lab/c=3', 'lab/m=2'])
  })

  it('blocks until all of it is there', async () => {
    await begin({ a: {}, x: {}, b: { needs: ['a', 'x'] } })
    world.failing.add('lab/a').add('lab/x')
    await push({ 'a/value': '2' })
    await push({ 'x/value': '2' })
    await world.work()
    await push({ 'b/value': '2' })
    await world.work()
    world.failing.delete('lab/a')
    await retry('a')
    await world.work()
    // It names what is left, not what has gone on.
    expect(await stackOf(harness, 'lab/b')).toMatchObject({
      status: 'blocked',
      statusReason: expect.stringContaining('waits for lab/x'),
    })
    world.failing.clear()
    await retry('x')
    await world.work()
    expect(world.applied).toEqual(['lab/a=2', 'lab/x=2', 'lab/b=2'])
  })

  it('is minded by the retry of a blocked run that was canceled', async () => {
    await begin({ a: {}, b: { needs: ['a'] } })
    world.failing.add('lab/a')
    await push({ 'a/value': '2', 'b/value': '2' })
    await world.work()
    const [blocked] = await runsOf(harness, { stack: 'lab/b', state: 'blocked' })
    await cancelRun(harness.engine.parts, { runId: blocked!.id, actorId: harness.users.second.id })
    await harness.settle()
    const again = await retry('b', 'canceled')
    expect(again).toMatchObject({ state: 'blocked', message: expect.stringContaining('waits for lab/a') })
    await world.work()
    expect(world.applied).toEqual([])
    world.failing.clear()
    await retry('a')
    await world.work()
    expect(world.applied).toEqual(['lab/a=2', 'lab/b=2'])
  })

  it('is minded by the retry of a destruction', async () => {
    await begin({ a: { onRemove: 'destroy' }, b: { needs: ['a'] } })
    world.failing.add('lab/b')
    await push({ 'trueup.yaml': lab({ b: {} }), a: null, 'b/value': '2' })
    await world.work()
    const [blocked] = await runsOf(harness, { stack: 'lab/a', state: 'blocked' })
    await cancelRun(harness.engine.parts, { runId: blocked!.id, actorId: harness.users.second.id })
    await harness.settle()
    const again = await retry('a', 'canceled')
    expect(again).toMatchObject({ kind: 'destroy', state: 'blocked' })
    world.failing.clear()
    await retry('b')
    await world.work()
    expect(await getRun(harness.store.db, again.id)).toMatchObject({ state: 'awaiting_approval' })
  })
})
