import { describe, expect, it } from 'vitest'
import { getRun } from '../../store/runs/runs.ts'
import { approveWaiting, audited, land, runsOf, stackOf } from '../testing/flows.ts'
import { leaseOne, workOne } from '../testing/puppet.ts'
import { KEY, MINUTE, drifting, useDrift } from '../testing/drifts.ts'
import { acceptDrift, checkNow, healNow } from './actions.ts'
import { scheduleDrift } from './schedule.ts'

describe('drift', () => {
  const { harness, world, begin, wish, check, records } = useDrift()
  /** Lets time go on as the clock does it, in steps, working off what that orders. */
  const wait = async (ms: number) => {
    harness.clock.advance(ms)
    await scheduleDrift(harness.engine.parts)
    return await world.work()
  }

  it('is looked for soon after a deployment and then at its interval', async () => {
    await begin({ interval: '10m' })
    const kinds = async (ms: number) =>
      (await wait(ms)).filter((run) => run.grant.stack.name === 'a').map((run) => run.grant.kind)
    expect(await kinds(6_000)).toEqual(['drift'])
    expect(await kinds(8 * MINUTE)).toEqual([])
    expect(await kinds(4 * MINUTE)).toEqual(['drift'])
    expect(await stackOf(harness, KEY)).toMatchObject({ status: 'in_sync', observedAt: expect.any(Number) })
  })

  it('that is observed is recorded, kept up to date, and gone when it is', async () => {
    await begin({ mode: 'observe' })
    world.things.set(KEY, 'x')
    await check()
    expect(await records()).toMatchObject([
      { address: 'thing', attribute: 'value', expected: '1', actual: 'x', state: 'open' },
    ])
    expect(await stackOf(harness, KEY)).toMatchObject({ status: 'drifted', statusReason: 'thing: value' })
    world.things.set(KEY, 'y')
    await check()
    expect(await records()).toMatchObject([{ actual: 'y', state: 'open' }])
    world.things.set(KEY, '1')
    await check()
    expect(await records()).toMatchObject([{ state: 'gone' }])
    expect(await stackOf(harness, KEY)).toMatchObject({ status: 'in_sync' })
    expect(world.applied).toEqual([])
  })

  it('that is enforced is overwritten with what is deployed', async () => {
    await begin({ mode: 'enforce' })
    world.things.set(KEY, 'x')
    await check()
    expect(world.applied).toEqual([`${KEY}=1`])
    expect(await records()).toMatchObject([{ state: 'healed', healCount: 1 }])
    expect(await stackOf(harness, KEY)).toMatchObject({ status: 'in_sync' })
  })

  it('is not what Git wants next: a pending change is neither shown nor healed as drift', async () => {
    await begin({ mode: 'enforce' })
    await land(harness, world, 'two', { 'a/value': '2' })
    world.things.set(KEY, 'foreign')
    await world.work()
    expect(await stackOf(harness, KEY)).toMatchObject({ status: 'awaiting_approval' })
    await check()
    // Reality is compared with what is deployed, and nothing heals while a change waits.
    expect(await records()).toMatchObject([{ expected: '1', actual: 'foreign' }])
    expect(await runsOf(harness, { kind: 'heal' })).toEqual([])
    expect(world.applied).toEqual([])
  })

  it('that comes back is healed with growing delays, then no more, and says so once', async () => {
    await begin({ mode: 'enforce' })
    const delays: number[] = []
    for (let time = 0; time < 5; time++) {
      world.things.set(KEY, 'x')
      await check()
      const [queued] = await runsOf(harness, { kind: 'heal', state: 'queued' })
      if (queued) {
        expect(queued).toMatchObject({ reason: 'backoff' })
        delays.push(queued.notBefore! - queued.createdAt)
        harness.clock.advance(delays.at(-1)!)
        await world.work()
      }
    }
    expect(world.applied).toHaveLength(5)
    const rounded = delays.map((delay) => Math.round(delay / 1000))
    expect(rounded).toEqual(
      [2, 6, 18, 54].map((delay) => expect.toSatisfy((got: number) => got <= delay && got >= delay - 2)),
    )

    for (let time = 0; time < 3; time++) {
      world.things.set(KEY, 'x')
      await check()
    }
    expect(world.applied).toHaveLength(5)
    expect(await stackOf(harness, KEY)).toMatchObject({
      status: 'drifted',
      statusReason: expect.stringContaining('something else keeps writing thing: value'),
    })
    expect(await audited(harness, 'drift.flapping')).toHaveLength(1)
    // Time alone does not begin the quarrel again; a person may.
    await wait(60 * MINUTE)
    expect(world.applied).toHaveLength(5)
    await healNow(harness.engine.parts, await wish())
    await world.work()
    expect(world.applied).toHaveLength(6)
  })

  it('whose heal would destroy too much waits for a person', async () => {
    await begin({ mode: 'enforce' })
    const { plan } = world.script
    world.script.plan = async (grant) => {
      const made = await plan(grant)
      return { ...made, changes: made.changes?.map((change) => ({ ...change, actions: ['replace'] })) ?? [] }
    }
    world.things.set(KEY, 'x')
    await check()
    const [held] = await runsOf(harness, { kind: 'heal' })
    expect(held).toMatchObject({ state: 'awaiting_approval', reason: 'brake' })
    await approveWaiting(harness, held!)
    await world.work()
    expect(world.applied).toEqual([`${KEY}=1`])
  })

  it('is found also after a deployment during which the clock was ahead', async () => {
    await begin({ mode: 'observe' })
    harness.clock.advance(24 * 60 * MINUTE)
    await land(harness, world, 'two', { 'a/value': '2' })
    await world.work()
    harness.clock.advance(-24 * 60 * MINUTE)
    world.things.set(KEY, 'x')
    await check()
    expect(await records()).toMatchObject([{ expected: '2', actual: 'x', state: 'open' }])
    expect(await stackOf(harness, KEY)).toMatchObject({ status: 'drifted' })
  })

  it('is not healed while the stack is broken', async () => {
    await begin({ mode: 'enforce' })
    world.failing.add(KEY)
    await land(harness, world, 'two', { 'a/value': '2' })
    await world.work()
    await expect(checkNow(harness.engine.parts, await wish())).rejects.toMatchObject({ code: 'CONFLICT' })
    await expect(healNow(harness.engine.parts, await wish())).rejects.toMatchObject({
      code: 'CONFLICT',
      text: { why: expect.stringContaining('half applied') },
    })
    await wait(60 * MINUTE)
    expect(await runsOf(harness, { kind: 'drift', stack: KEY })).toEqual([])
  })

  it('that is accepted is neither shown nor healed until its time is over or it changes again', async () => {
    await begin({ mode: 'enforce' })
    world.things.set(KEY, 'x')
    // Frozen in time: observed, not healed yet.
    await harness.push('main', { 'trueup.yaml': drifting({ mode: 'observe' }) })
    await check()
    const [record] = await records()
    const { parts } = harness.engine
    const until = harness.clock.now() + 60 * MINUTE
    const acceptance = { recordId: record!.id, reason: 'black friday', until, actorId: harness.users.second.id }
    await expect(acceptDrift(parts, { ...acceptance, reason: '' })).rejects.toMatchObject({
      code: 'INVALID_REQUEST',
    })
    await acceptDrift(parts, acceptance)
    expect(await stackOf(harness, KEY)).toMatchObject({ status: 'in_sync' })
    await harness.push('main', { 'trueup.yaml': drifting({ mode: 'enforce' }) })
    await check()
    expect(world.applied).toEqual([])
    expect(await records()).toMatchObject([{ state: 'accepted', acceptedReason: 'black friday' }])
    harness.clock.advance(60 * MINUTE)
    await check()
    expect(world.applied).toEqual([`${KEY}=1`])
    expect(await audited(harness, 'drift.accept')).toHaveLength(1)
    await expect(acceptDrift(parts, { ...acceptance, until: null })).rejects.toMatchObject({ code: 'CONFLICT' })
  })

  it('that another value replaces is no longer what was accepted', async () => {
    await begin({ mode: 'observe' })
    world.things.set(KEY, 'x')
    await check()
    const { parts } = harness.engine
    const recordId = (await records())[0]!.id
    await acceptDrift(parts, { recordId, reason: 'ok', until: null, actorId: harness.users.second.id })
    world.things.set(KEY, 'y')
    await check()
    expect(await records()).toMatchObject([{ state: 'open', actual: 'y' }])
  })

  it('found while the stack was being changed says nothing', async () => {
    await begin({ mode: 'enforce' })
    await checkNow(harness.engine.parts, await wish())
    const grant = (await leaseOne(harness))!
    await land(harness, world, 'two', { 'a/value': '2' })
    await world.work()
    await workOne(harness, grant, world.script)
    expect(await getRun(harness.store.db, grant.runId)).toMatchObject({ state: 'succeeded', reason: 'overtaken' })
    expect(await records()).toEqual([])
    expect(world.applied).toEqual([`${KEY}=2`])
  })

  it('cannot be told from a change of variables that is not deployed yet', async () => {
    await begin({ mode: 'enforce' })
    const run = await checkNow(harness.engine.parts, await wish())
    await harness.store.transaction((tx) =>
      tx.updateTable('stacks').set({ deployedDigest: 'sha256:older' }).where('id', '=', run.stackId).execute(),
    )
    await harness.store.transaction((tx) =>
      tx.updateTable('runs').set({ desiredDigest: 'sha256:older' }).where('id', '=', run.id).execute(),
    )
    expect(await world.work()).toEqual([])
    expect(await getRun(harness.store.db, run.id)).toMatchObject({ state: 'superseded', reason: 'pending_change' })
  })

  it('of a target that cannot be reached is not known', async () => {
    await begin({ mode: 'enforce' })
    await checkNow(harness.engine.parts, await wish())
    const grant = (await leaseOne(harness))!
    const error = { code: 'TARGET_UNREACHABLE', doing: 'looking', why: 'no route', next: 'check' }
    const end = { runId: grant.runId, fence: grant.fence, status: 'failed' as const, verify: [], error }
    await harness.engine.worker.call(harness.workerId, 'finish', end)
    await harness.settle()
    expect(await stackOf(harness, KEY)).toMatchObject({
      status: 'unreachable',
      statusReason: expect.stringContaining('no route'),
    })
    await check()
    expect(await stackOf(harness, KEY)).toMatchObject({ status: 'in_sync' })
  })

  it('that ends with an error leaves unknown how it is', async () => {
    await begin({ mode: 'observe' })
    await checkNow(harness.engine.parts, await wish())
    const grant = (await leaseOne(harness))!
    const error = { code: 'TOOL_FAILED', doing: 'looking', why: 'no credentials', next: 'log in' }
    const end = { runId: grant.runId, fence: grant.fence, status: 'failed' as const, verify: [], error }
    await harness.engine.worker.call(harness.workerId, 'finish', end)
    await harness.settle()
    expect(await stackOf(harness, KEY)).toMatchObject({
      status: 'unknown',
      statusReason: expect.stringContaining('no credentials'),
    })
    await check()
    expect(await stackOf(harness, KEY)).toMatchObject({ status: 'in_sync' })
  })

  it('of a host that does not answer is not known, though the others are in sync', async () => {
    await begin({ mode: 'observe' })
    const { plan } = world.script
    const silent: typeof plan = async (grant) => {
      const unchecked = [{ address: 'thing', why: 'no route to host', unreachable: true }]
      return { ...(await plan(grant)), changes: [], coverage: { checked: 1, unchecked } }
    }
    const deployed = world.things.get(KEY)!
    world.things.set(KEY, 'x')
    await check()
    world.script.plan = silent
    await check()
    expect(await records()).toMatchObject([{ state: 'open' }])

    world.things.set(KEY, deployed)
    world.script.plan = plan
    await check()
    expect(await stackOf(harness, KEY)).toMatchObject({ status: 'in_sync' })
    world.script.plan = silent
    await check()
    expect(await stackOf(harness, KEY)).toMatchObject({
      status: 'unreachable',
      statusReason: 'thing did not answer: no route to host',
    })
    world.script.plan = plan
    await check()
    expect(await stackOf(harness, KEY)).toMatchObject({ status: 'in_sync' })
  })

  it('that a plan invents each time anew is named as unstable', async () => {
    await begin({ mode: 'observe' })
    const { plan } = world.script
    let time = 0
    world.script.plan = async (grant) => {
      const made = await plan(grant)
      const unstable = { path: 'stamp', before: 'old', after: `now ${time++}` }
      return {
        ...made,
        changes: made.changes?.map((change) => ({ ...change, attributes: [...change.attributes, unstable] })) ?? [],
      }
    }
    world.things.set(KEY, 'x')
    await check()
    await check()
    const [second, first] = await runsOf(harness, { kind: 'drift', stack: KEY })
    expect(first!.plan!.findings).toEqual([])
    expect(second!.plan!.findings).toMatchObject([
      { code: 'unstable_plan', message: expect.stringContaining('thing: stamp') },
    ])
  })

  it('told by an event is looked at at once, by the worker that serves the stack only', async () => {
    await begin({ interval: '1d' })
    const { id: stackId } = await stackOf(harness, KEY)
    await harness.engine.worker.call(harness.workerId, 'drifted', { stackId, addresses: [] })
    await harness.engine.worker.call(harness.workerId, 'drifted', { stackId, addresses: [] })
    expect((await world.work()).map((run) => run.grant.kind)).toEqual(['drift'])
    // The second event came while the first was looked at: once more after it.
    expect((await wait(2_000)).map((run) => run.grant.kind)).toEqual(['drift'])
  })
})
