import { describe, expect, it } from 'vitest'
import { freezeEnvironment, unfreezeEnvironment } from '../environments.ts'
import { checkNow } from '../drift/actions.ts'
import { healsToJson } from './heal-state.ts'
import { patchStack } from '../../store/stacks/stacks.ts'
import { approveWaiting, configOf, land, merge, propose, runsOf, stackOf } from '../testing/flows.ts'
import { update } from '../testing/puppet.ts'
import { useWorld } from '../testing/use-world.ts'
import { liftQuarantine } from '../rolled-back/quarantine.ts'
import { rollBack } from '../rollback/rollback.ts'
import { listQuarantine } from '../../store/stacks/quarantine.ts'
import { whyWaiting } from '../runs/waiting.ts'

const KEY = 'production/a'
const withWindows = (windows: object[], stacks: object = { a: {} }) =>
  configOf(stacks as { a: object }, { environments: { production: { approvals: { required: 1 }, windows } } })
const MINUTE = 60_000

describe('what a run waited for is said no longer', () => {
  const { harness, world } = useWorld({ files: { 'trueup.yaml': withWindows([]), 'a/value': '1' } })

  const freeze = (reason: string, until: number | null = null) =>
    freezeEnvironment(harness.engine.parts, {
      repositoryId: harness.repositoryId,
      environment: 'production',
      reason,
      until,
      actorId: harness.users.second.id,
    })
  const lift = (freezeId: string) =>
    unfreezeEnvironment(harness.engine.parts, { freezeId, actorId: harness.users.second.id })
  /** What people see of the one queued run; no worker comes for it. */
  const shown = async (stack = KEY) => {
    const [run] = await runsOf(harness, { stack, state: 'queued' })
    const { status, statusReason } = await stackOf(harness, stack)
    const { reason, notBefore } = run!
    return { reason, notBefore, message: await whyWaiting(harness.engine.parts, run!), status, statusReason }
  }
  const held = async () => {
    await land(harness, world, 'two', { 'a/value': '2' })
    await world.work()
  }
  const FREE = {
    reason: null,
    notBefore: null,
    message: expect.stringContaining('no worker of pool "default" is connected'),
    status: 'pending',
    statusReason: 'deploy run is queued',
  }

  it('after its freeze is lifted', async () => {
    const { id } = await freeze('holidays')
    await held()
    const frozen = expect.stringContaining('holidays')
    expect(await shown()).toMatchObject({ reason: 'frozen', message: frozen, statusReason: frozen })
    await lift(id)
    expect(await shown()).toEqual(FREE)
    await world.work()
    expect(world.applied).toEqual([`${KEY}=2`])
  })

  it('but what else still holds it is', async () => {
    const one = await freeze('holidays')
    const two = await freeze('stocktaking')
    await held()
    await lift(one.id)
    expect(await shown()).toMatchObject({
      reason: 'frozen',
      message: expect.stringContaining('stocktaking'),
      notBefore: expect.any(Number),
    })
    await lift(two.id)
    expect(await shown()).toEqual(FREE)
  })

  it('after its freeze has ended by itself', async () => {
    await freeze('holidays', harness.clock.now() + MINUTE)
    await held()
    harness.clock.advance(MINUTE + 1)
    await expect.poll(() => shown(), { timeout: 180_000 }).toEqual(FREE)
  })

  it('but holds as long as the freeze does, however long nobody asks for work', async () => {
    await freeze('holidays')
    await held()
    const { notBefore } = await shown()
    harness.clock.advance(2 * 60 * MINUTE)
    await expect.poll(async () => (await shown()).notBefore, { timeout: 180_000 }).toBeGreaterThan(notBefore!)
    expect(await shown()).toMatchObject({ reason: 'frozen', message: expect.stringContaining('holidays') })
  })

  it('after its windows have changed', async () => {
    await land(harness, world, 'close', { 'trueup.yaml': withWindows([{ deny: '2000-01-01 - 2100-01-01' }]) })
    await held()
    expect(await shown()).toMatchObject({ reason: 'window_closed', statusReason: expect.stringContaining('closed') })
    await harness.push('main', { 'trueup.yaml': withWindows([]) })
    await expect.poll(() => shown(), { timeout: 180_000 }).toEqual(FREE)
  })

  it('after the pause between two heals', async () => {
    await land(harness, world, 'enforce', { 'trueup.yaml': withWindows([], { a: { drift: { mode: 'enforce' } } }) })
    await world.work()
    const stack = await stackOf(harness, KEY)
    const at = harness.clock.now()
    const healBackoff = healsToJson({ attempts: 3, lastAt: at, stableSince: null })
    await harness.store.transaction((tx) => patchStack(tx, stack.id, { healBackoff }))
    world.things.set(KEY, 'tampered')
    await checkNow(harness.engine.parts, { stackId: stack.id, actorId: harness.users.second.id })
    await world.work()
    expect(await shown()).toMatchObject({ reason: 'backoff', message: expect.stringContaining('waits until') })
    harness.clock.advance(10 * MINUTE)
    await expect
      .poll(() => shown(), { timeout: 180_000 })
      .toMatchObject({ ...FREE, statusReason: 'heal run is queued' })
  })

  it('after it is approved, though the plan had changed', async () => {
    await land(harness, world, 'two', { 'a/value': '2' })
    world.things.set(KEY, 'foreign')
    await world.work()
    const [waiting] = await runsOf(harness, { state: 'awaiting_approval' })
    expect(waiting).toMatchObject({ reason: 'plan_changed', message: expect.any(String) })
    await approveWaiting(harness, waiting!)
    expect(await shown()).toEqual({ ...FREE, reason: 'approved' })
  })

  it('after it is approved, though the brake held it', async () => {
    const drift = { mode: 'enforce', maxDestroys: 0 }
    await land(harness, world, 'enforce', { 'trueup.yaml': withWindows([], { a: { drift } }) })
    await world.work()
    world.script.plan = () => ({ changes: [update('thing', '1', '2', ['delete', 'create'])] })
    const { id: stackId } = await stackOf(harness, KEY)
    await checkNow(harness.engine.parts, { stackId, actorId: harness.users.second.id })
    await world.work()
    const [waiting] = await runsOf(harness, { state: 'awaiting_approval' })
    expect(waiting).toMatchObject({ kind: 'heal', reason: 'brake', message: expect.any(String) })
    await approveWaiting(harness, waiting!)
    expect(await shown()).toEqual({ ...FREE, reason: 'approved', statusReason: 'heal run is queued' })
  })

  it('of two stacks that it needs, when the first of them is there', async () => {
    const config = withWindows([], { a: {}, b: {}, c: { needs: ['a', 'b'] } })
    const values = { 'a/value': '2', 'b/value': '2', 'c/value': '2' }
    world.failing.add(KEY).add('production/b')
    const mr = await propose(harness, 'three', { 'trueup.yaml': config, ...values })
    await world.work()
    await merge(harness, mr.id, { bypassReason: 'test' })
    await world.work()
    const blockedBy = async () => (await runsOf(harness, { stack: 'production/c', state: 'blocked' }))[0]!.message!
    const first = (await blockedBy()).match(/production\/[ab]/)![0]
    const other = first === KEY ? 'production/b' : KEY
    world.failing.delete(first)
    await land(harness, world, 'mended', { [`${first.slice('production/'.length)}/value`]: '3' })
    await world.work()
    expect(await blockedBy()).toContain(other)
    expect(await stackOf(harness, 'production/c')).toMatchObject({ statusReason: await blockedBy() })
  })

  it('after its quarantine is lifted', async () => {
    await held()
    const { parts } = harness.engine
    const actorId = harness.users.second.id
    const { id: stackId } = await stackOf(harness, KEY)
    await rollBack(parts, { target: { what: 'stack', stackId }, reason: 'it smells', actorId })
    await world.work()
    const again = await propose(harness, 'again', { 'a/value': '2' })
    await world.work()
    await merge(harness, again.id, { bypassReason: 'test' })
    await world.work()
    expect(await stackOf(harness, KEY)).toMatchObject({
      status: 'quarantined',
      statusReason: expect.stringContaining('nothing deploys or heals it'),
    })
    const [entry] = await listQuarantine(harness.store.db, { stackId })
    await liftQuarantine(parts, { quarantineId: entry!.id, reason: 'it was something else', actorId })
    expect(await stackOf(harness, KEY)).toMatchObject({
      status: 'pending',
      statusReason: 'Git has moved on and nothing is queued to enact it',
    })
  })
})
