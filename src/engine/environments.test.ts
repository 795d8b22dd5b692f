import { describe, expect, it } from 'vitest'
import { freezeEnvironment, listFreezes, unfreezeEnvironment } from './environments.ts'
import { checkNow, healNow } from './drift/actions.ts'
import { audited, bootstrap, configOf, judged, land, runsOf, stackOf } from './testing/flows.ts'
import { workAll } from './testing/puppet.ts'
import { useWorld } from './testing/use-world.ts'

const KEY = 'production/a'
const withWindows = (windows: object[]) =>
  configOf({ a: {} }, { environments: { production: { tier: 'production', approvals: { required: 1 }, windows } } })

describe('a freeze', () => {
  const { harness, world } = useWorld({ files: { 'trueup.yaml': configOf({ a: {} }), 'a/value': '1' } })
  const freeze = (more: object = {}) =>
    freezeEnvironment(harness.engine.parts, {
      repositoryId: harness.repositoryId,
      environment: 'production',
      reason: 'holidays',
      until: null,
      actorId: harness.users.second.id,
      ...more,
    })

  it('holds deployments with its reason until it is lifted, and previews go on', async () => {
    const { id } = await freeze()
    const mr = await land(harness, world, 'two', { 'a/value': '2' })
    const { outcome } = await judged(harness, mr.id)
    const window = outcome.requirements.find((requirement) => requirement.name === 'window')
    expect(window).toMatchObject({ satisfied: false, blocking: false, message: expect.stringContaining('holidays') })
    await world.work()
    expect(world.applied).toEqual([])
    const [held] = await runsOf(harness, { kind: 'deploy', state: 'queued' })
    expect(held).toMatchObject({
      reason: 'frozen',
      notBefore: expect.any(Number),
      message: expect.stringContaining('holidays'),
    })
    const events = (await audited(harness, 'run.leased')).length
    harness.clock.advance(10 * 60_000)
    await world.work()
    // Ten minutes of waiting leave no trail of leases.
    expect((await audited(harness, 'run.leased')).length).toBe(events)

    await unfreezeEnvironment(harness.engine.parts, { freezeId: id, actorId: harness.users.second.id })
    await world.work()
    expect(world.applied).toEqual([`${KEY}=2`])
    expect(
      (await audited(harness, 'environment.freeze')).length + (await audited(harness, 'environment.unfreeze')).length,
    ).toBe(2)
    await expect(
      unfreezeEnvironment(harness.engine.parts, { freezeId: id, actorId: harness.users.second.id }),
    ).rejects.toMatchObject({ code: 'CONFLICT' })
  })

  it('also holds what was being planned when it came', async () => {
    await land(harness, world, 'two', { 'a/value': '2' })
    const applied = { ...world.script }
    await workAll(harness, {
      ...applied,
      async plan(grant) {
        const plan = await world.script.plan(grant)
        if (grant.kind === 'deploy') await freeze()
        return plan
      },
    })
    expect(world.applied).toEqual([])
    expect(await runsOf(harness, { kind: 'deploy', state: 'queued' })).toMatchObject([{ reason: 'frozen' }])
  })

  it('ends by itself', async () => {
    await freeze({ until: harness.clock.now() + 60_000 })
    await land(harness, world, 'two', { 'a/value': '2' })
    await world.work()
    harness.clock.advance(60_001)
    await world.work()
    expect(world.applied).toEqual([`${KEY}=2`])
    expect(await listFreezes(harness.engine.parts, harness.repositoryId)).toEqual([])
  })

  it('holds heals, but not the looking for drift', async () => {
    await freeze()
    world.things.set(KEY, 'tampered')
    const { id: stackId } = await stackOf(harness, KEY)
    const wish = { stackId, actorId: harness.users.second.id }
    await checkNow(harness.engine.parts, wish)
    await world.work()
    expect(await stackOf(harness, KEY)).toMatchObject({ status: 'drifted' })
    await healNow(harness.engine.parts, wish)
    await world.work()
    expect(world.things.get(KEY)).toBe('tampered')
    expect(await runsOf(harness, { kind: 'heal', state: 'queued' })).toMatchObject([{ reason: 'frozen' }])
  })

  it('needs a reason, an environment and an end that is to come', async () => {
    await expect(freeze({ reason: ' ' })).rejects.toMatchObject({ code: 'INVALID_REQUEST' })
    await expect(freeze({ environment: 'nowhere' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(freeze({ until: 1 })).rejects.toMatchObject({ code: 'INVALID_REQUEST' })
  })
})

describe('a window', () => {
  const { harness, world } = useWorld()

  it('holds deployments until it opens, and a change of the windows lets them go at once', async () => {
    await bootstrap(harness, world, { 'trueup.yaml': withWindows([]), 'a/value': '1' })
    const closed = [{ deny: '2000-01-01 - 2100-01-01' }]
    await land(harness, world, 'close', { 'trueup.yaml': withWindows(closed) })
    await land(harness, world, 'two', { 'a/value': '2' })
    await world.work()
    expect(world.applied).toEqual([])
    expect(await runsOf(harness, { kind: 'deploy', state: 'queued' })).toMatchObject([{ reason: 'window_closed' }])
    // A file that cannot be read opens no window.
    await harness.push('main', { 'trueup.yaml': 'version: 1\nstacks: [' })
    harness.clock.advance(2 * 60 * 60_000)
    await world.work()
    expect(world.applied).toEqual([])
    await harness.push('main', { 'trueup.yaml': withWindows([]) })
    await world.work()
    expect(world.applied).toEqual([`${KEY}=2`])
  })
})
