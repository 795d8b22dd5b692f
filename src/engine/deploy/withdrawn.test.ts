import { describe, expect, it } from 'vitest'
import { cancelRun } from '../runs/actions.ts'
import { removeOrphan } from './remove-orphan.ts'
import { bootstrap, configOf, runsOf, stackOf } from '../testing/flows.ts'
import type { Files } from '../testing/harness.ts'
import { useWorld } from '../testing/use-world.ts'

const lab = (stacks: { [name: string]: object }) => configOf(stacks, { environments: { lab: {} } })
const CHAIN = lab({ a: {}, b: { needs: ['a'] } })
const files = (value: string): Files => ({ 'a/value': value, 'b/value': value })

describe('what waits for a run that is taken back', () => {
  const { harness, world } = useWorld()

  const push = (changes: Files) => harness.push('main', changes)
  const cancel = async (stack: string) => {
    const [run] = await runsOf(harness, { stack, kind: 'deploy', state: 'queued' })
    await cancelRun(harness.engine.parts, { runId: run!.id, actorId: harness.users.second.id })
    await harness.settle()
    return run!
  }

  it('goes on when the stack leaves Git before the run has begun', async () => {
    await bootstrap(harness, world, { 'trueup.yaml': CHAIN, ...files('1') })
    await push(files('2'))
    await push({ 'trueup.yaml': lab({ b: {} }), a: null })
    await world.work()
    expect(world.applied).toEqual(['lab/b=2'])
    expect(await runsOf(harness, { stack: 'lab/a', state: 'superseded' })).toMatchObject([{ reason: 'stack_removed' }])
  })

  it('is not let go by an older merge of the same stack', async () => {
    await bootstrap(harness, world, { 'trueup.yaml': CHAIN, ...files('1') })
    await push({ 'a/value': '2' })
    await push(files('3'))
    const [newer] = await runsOf(harness, { stack: 'lab/a', state: 'queued' })
    const canceled = await cancel('lab/a')
    expect(canceled.id).toBe(newer!.id)
    await world.work()
    expect(world.applied).toEqual(['lab/a=2'])
    expect(await stackOf(harness, 'lab/b')).toMatchObject({ status: 'blocked' })
    await push({ 'a/value': '4' })
    await world.work()
    expect(world.applied).toEqual(['lab/a=2', 'lab/a=4', 'lab/b=3'])
  })

  describe('and destroys', () => {
    const before = lab({ a: { onRemove: 'destroy' }, b: { needs: ['a'] } })
    /** The destruction of a waits for b, which no longer needs it and does not get there. */
    const begin = async () => {
      world.failing.add('lab/b')
      await push({ 'trueup.yaml': lab({ b: {} }), a: null, 'b/value': '2' })
      await world.work()
      expect(await runsOf(harness, { kind: 'destroy' })).toMatchObject([{ state: 'blocked' }])
    }
    const destroying = async () => (await runsOf(harness, { stack: 'lab/a', kind: 'destroy' }))[0]!.state

    it('goes on when that leaves Git without ever having been there', async () => {
      await bootstrap(harness, world, { 'trueup.yaml': lab({ a: { onRemove: 'destroy' } }), 'a/value': '1' })
      world.script.apply = () => ({ status: 'failed', untouched: true })
      await push({ 'trueup.yaml': before, 'b/value': '1' })
      await world.work()
      await begin()
      await push({ 'trueup.yaml': lab({ c: {} }), b: null, 'c/value': '1' })
      await world.work()
      expect(await destroying()).toBe('awaiting_approval')
    })

    it('goes on when that is forgotten', async () => {
      await bootstrap(harness, world, { 'trueup.yaml': before, ...files('1') })
      await begin()
      await push({ 'trueup.yaml': lab({ c: {} }), b: null, 'c/value': '1' })
      await world.work()
      expect(await destroying()).toBe('blocked')
      const { id: stackId } = await stackOf(harness, 'lab/b')
      const wish = { stackId, how: 'forget' as const, reason: 'gone', actorId: harness.users.second.id }
      await removeOrphan(harness.engine.parts, wish)
      await world.work()
      expect(await destroying()).toBe('awaiting_approval')
    })
  })
})
