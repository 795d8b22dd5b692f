import { describe, expect, it } from 'vitest'
import { previewsOf } from '../merge-requests/previews.ts'
import { removeOrphan } from './remove-orphan.ts'
import {
  approve,
  approveWaiting,
  audited,
  bootstrap,
  configOf,
  land,
  merge,
  mrOf,
  propose,
  runsOf,
  stackOf,
  unmet,
} from '../testing/flows.ts'
import { approveRun } from '../runs/actions.ts'
import { applyOne, finishOne, leaseOne, planOne } from '../testing/puppet.ts'
import { useWorld } from '../testing/use-world.ts'

const KEEP = { a: {}, b: {} }
const DESTROY = { a: { onRemove: 'destroy' }, b: { onRemove: 'destroy', needs: ['a'] }, c: {} }
const values = { 'a/value': '1', 'b/value': '1', 'c/value': '1' }

describe('a stack that leaves Git', () => {
  const { harness, world } = useWorld()

  it('is kept and listed as orphaned, until somebody has it destroyed after a second look', async () => {
    await bootstrap(harness, world, { 'trueup.yaml': configOf(KEEP), ...values })
    const mr = await propose(harness, 'remove', { 'trueup.yaml': configOf({ b: {} }), a: null })
    await world.work()
    expect(previewsOf(await mrOf(harness, mr.id))['production/a']).toMatchObject({
      how: 'removed',
      runId: null,
      note: expect.stringContaining('onRemove: keep'),
    })
    await merge(harness, mr.id, { bypassReason: 'test' })
    await world.work()
    expect(world.things.has('production/a')).toBe(true)
    const orphan = await stackOf(harness, 'production/a')
    expect(orphan).toMatchObject({ status: 'orphaned', removedAt: null })

    const { parts } = harness.engine
    const wish = { stackId: orphan.id, how: 'destroy' as const, reason: 'gone', actorId: harness.users.second.id }
    const run = await removeOrphan(parts, wish)
    await world.work()
    const [waiting] = await runsOf(harness, { state: 'awaiting_approval' })
    expect(waiting).toMatchObject({ id: run!.id, kind: 'destroy', reason: 'destroys' })
    const own = { runId: run!.id, digest: waiting!.planDigest!, actorId: harness.users.second.id }
    await expect(approveRun(parts, own)).rejects.toMatchObject({ code: 'FORBIDDEN' })
    await approveWaiting(harness, waiting!, harness.users.reviewer)
    await world.work()
    expect(world.things.has('production/a')).toBe(false)
    expect(await stackOf(harness, 'production/a')).toMatchObject({
      removedAt: expect.any(Number),
      deployedCommit: null,
    })
  })

  it('can be forgotten, which touches nothing', async () => {
    await bootstrap(harness, world, { 'trueup.yaml': configOf(KEEP), ...values })
    await harness.push('main', { 'trueup.yaml': configOf({ b: {} }) })
    await world.work()
    const { id } = await stackOf(harness, 'production/a')
    const wish = { stackId: id, how: 'forget' as const, reason: 'moved house', actorId: harness.users.second.id }
    expect(await removeOrphan(harness.engine.parts, wish)).toBeNull()
    expect(world.things.has('production/a')).toBe(true)
    expect(await stackOf(harness, 'production/a')).toMatchObject({ removedAt: expect.any(Number) })
    await expect(removeOrphan(harness.engine.parts, wish)).rejects.toMatchObject({ code: 'CONFLICT' })
    const still = { ...wish, stackId: (await stackOf(harness, 'production/b')).id }
    await expect(removeOrphan(harness.engine.parts, still)).rejects.toMatchObject({ code: 'CONFLICT' })
  })

  it('is destroyed where that was said before, with an approval, after what needed it', async () => {
    const environments = { lab: {} }
    await bootstrap(harness, world, { 'trueup.yaml': configOf(DESTROY, { environments }), ...values })
    const mr = await propose(harness, 'remove', { 'trueup.yaml': configOf({ c: {} }, { environments }) })
    await world.work()
    const preview = previewsOf(await mrOf(harness, mr.id))['lab/a']
    const [planned] = (await runsOf(harness, { kind: 'preview' })).filter((run) => run.id === preview!.runId)
    expect(planned!.plan!.changes).toMatchObject([{ address: 'thing', actions: ['delete'] }])
    // The environment asks for no approval, but destroying always does.
    expect(await unmet(harness, mr.id)).toEqual(['approvals'])
    await approve(harness, mr.id)
    await merge(harness, mr.id)
    await world.work()
    expect(world.applied).toEqual(['lab/b=(destroyed)', 'lab/a=(destroyed)'])
    expect(await stackOf(harness, 'lab/a')).toMatchObject({ removedAt: expect.any(Number) })
  })

  it('is not destroyed by an MR that says so itself', async () => {
    await bootstrap(harness, world, { 'trueup.yaml': configOf(KEEP), ...values })
    const destroying = configOf({ b: { onRemove: 'destroy' } })
    const mr = await propose(harness, 'both', { 'trueup.yaml': destroying })
    await world.work()
    expect(previewsOf(await mrOf(harness, mr.id))['production/a']).toMatchObject({ runId: null })
  })

  it('is orphaned and never destroyed when trueup.yaml goes', async () => {
    await bootstrap(harness, world, { 'trueup.yaml': configOf(DESTROY), ...values })
    const mr = await propose(harness, 'oops', { 'trueup.yaml': null })
    await world.work()
    expect(await unmet(harness, mr.id)).toContain('approvals')
    await approve(harness, mr.id)
    await merge(harness, mr.id)
    await world.work()
    expect(world.applied).toEqual([])
    expect(await stackOf(harness, 'production/a')).toMatchObject({ status: 'orphaned' })
    // And comes back as if nothing had been.
    await harness.push('main', { 'trueup.yaml': configOf(DESTROY) })
    await world.work()
    expect(await stackOf(harness, 'production/a')).toMatchObject({ status: 'in_sync' })
  })

  it('and is wanted again before its destruction has begun stays', async () => {
    await bootstrap(harness, world, { 'trueup.yaml': configOf(DESTROY), ...values })
    await harness.push('main', { 'trueup.yaml': configOf({ c: {} }) })
    await world.work()
    expect(await runsOf(harness, { kind: 'destroy', state: 'awaiting_approval' })).toHaveLength(1)
    await harness.push('main', { 'trueup.yaml': configOf(DESTROY) })
    await world.work()
    expect(world.applied).toEqual([])
    expect(await runsOf(harness, { kind: 'destroy', state: 'superseded' })).toHaveLength(2)
    expect(await stackOf(harness, 'production/a')).toMatchObject({ status: 'in_sync', removedAt: null })
  })

  it('while it is being deployed is destroyed as it was deployed then', async () => {
    await bootstrap(harness, world, { 'trueup.yaml': configOf({ a: { onRemove: 'destroy' }, b: {} }), ...values })
    await land(harness, world, 'two', { 'a/value': '2' })
    const grant = (await leaseOne(harness))!
    await planOne(harness, grant, world.script)
    const mr = await propose(harness, 'remove', { 'trueup.yaml': configOf({ b: {} }) })
    await world.work()
    await approve(harness, mr.id)
    await merge(harness, mr.id)
    await finishOne(harness, grant, await applyOne(harness, grant, world.script))
    const destroyed = (await world.work()).find((run) => run.grant.kind === 'destroy')!
    expect(destroyed.grant).toMatchObject({ commit: grant.commit, destroy: true })
    // What the MR showed was the destruction of the state before.
    const [waiting] = await runsOf(harness, { kind: 'destroy', state: 'awaiting_approval' })
    await approveWaiting(harness, waiting!, harness.users.second)
    await world.work()
    expect(world.things.has('production/a')).toBe(false)
  })

  it('while it is deployed for the first time is listed with what that left behind', async () => {
    await bootstrap(harness, world, { 'trueup.yaml': configOf({ b: {} }), 'b/value': '1' })
    await land(harness, world, 'add', { 'trueup.yaml': configOf({ a: {}, b: {} }), 'a/value': '1' })
    const grant = (await leaseOne(harness))!
    await planOne(harness, grant, world.script)
    const mr = await propose(harness, 'remove', { 'trueup.yaml': configOf({ b: {} }) })
    await world.work()
    expect(previewsOf(await mrOf(harness, mr.id))['production/a']).toMatchObject({
      note: expect.stringContaining('being deployed'),
    })
    await approve(harness, mr.id)
    await merge(harness, mr.id)
    world.failing.add('production/a')
    await finishOne(harness, grant, await applyOne(harness, grant, world.script))
    await world.work()
    expect(await stackOf(harness, 'production/a')).toMatchObject({ status: 'failed', removedAt: null })
  })

  it('under the same name elsewhere has only moved', async () => {
    await bootstrap(harness, world, { 'trueup.yaml': configOf({ a: { onRemove: 'destroy' } }), 'a/value': '1' })
    const before = await stackOf(harness, 'production/a')
    const moved = configOf({ 'new/place': { name: 'a', onRemove: 'destroy' } })
    await land(harness, world, 'move', { 'trueup.yaml': moved, a: null, 'new/place/value': '1' })
    await world.work()
    expect(world.applied).toEqual([])
    expect(await stackOf(harness, 'production/a')).toMatchObject({
      id: before.id,
      path: 'new/place',
      status: 'in_sync',
    })
    expect(await runsOf(harness, { kind: 'destroy' })).toEqual([])
  })
})

describe('a trueup.yaml that cannot be read', () => {
  const { harness, world } = useWorld()

  it('enacts nothing and destroys nothing, and the next good one goes on from before', async () => {
    const stacks = { a: { onRemove: 'destroy' }, b: {} }
    await bootstrap(harness, world, { 'trueup.yaml': configOf(stacks), ...values })
    await harness.push('main', { 'trueup.yaml': 'version: 1\nstacks: [', 'b/value': '2' })
    await world.work()
    expect(world.applied).toEqual([])
    expect(await audited(harness, 'deploy.unusable')).toHaveLength(1)
    expect(await stackOf(harness, 'production/a')).toMatchObject({ status: 'in_sync' })
    await harness.push('main', { 'trueup.yaml': configOf(stacks) })
    await world.work()
    const [waiting] = await runsOf(harness, { state: 'awaiting_approval' })
    expect(waiting).toMatchObject({ kind: 'deploy', stackId: (await stackOf(harness, 'production/b')).id })
    expect(await runsOf(harness, { kind: 'destroy' })).toEqual([])
  })
})
