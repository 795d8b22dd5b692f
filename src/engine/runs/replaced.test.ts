import { describe, expect, it } from 'vitest'
import type { Grant, ServerEvent } from '../../domain/wire/worker-protocol.ts'
import { createFreeze } from '../../store/stacks/freezes.ts'
import { getRun } from '../../store/runs/runs.ts'
import { configOf, land, runsOf, stackOf } from '../testing/flows.ts'
import { leaseOne, planOne } from '../testing/puppet.ts'
import { useWorld } from '../testing/use-world.ts'
import { cancelRun } from './actions.ts'

const KEY = 'production/a'

describe('a deployment that is not right yet, and a newer merge', () => {
  const { harness, world } = useWorld({
    still: true,
    files: {
      'trueup.yaml': configOf({ a: {}, b: { needs: ['a'] } }),
      'a/value': '1',
      'b/value': '1',
    },
  })
  const heartbeat = (...grants: Grant[]) =>
    harness.engine.worker.call(harness.workerId, 'heartbeat', {
      runs: grants.map(({ runId, fence }) => ({ runId, fence })),
    })
  /** Applies, and waits for health from then on. */
  const beginToWait = async (): Promise<Grant> => {
    const grant = (await leaseOne(harness))!
    expect(await planOne(harness, grant, world.script)).toMatchObject({ action: 'apply' })
    return grant
  }
  const giveWay = async ({ runId, fence }: Grant): Promise<void> => {
    const { worker } = harness.engine
    const nothing = { resources: [], outputs: {}, findings: [] }
    await worker.call(harness.workerId, 'applied', { runId, fence, status: 'canceled', ...nothing })
    await worker.call(harness.workerId, 'finish', { runId, fence, status: 'canceled', verify: [] })
    await harness.settle()
  }

  it('hears of it at once and by each heartbeat; what waited for it waits for the newer one', async () => {
    await land(harness, world, 'bad', { 'a/value': '2', 'b/value': '2' })
    const grant = await beginToWait()
    expect((await heartbeat(grant)).replaced).toEqual([])
    const events: ServerEvent[] = []
    harness.engine.parts.hub.attach(harness.workerId, ['default'], (event) => events.push(event))
    await land(harness, world, 'fix', { 'a/value': '3' })
    await expect.poll(() => events).toContainEqual({ event: 'replaced', runId: grant.runId })
    expect((await heartbeat(grant)).replaced).toEqual([grant.runId])

    await giveWay(grant)
    const [newer] = await runsOf(harness, { kind: 'deploy', stack: KEY })
    expect(await getRun(harness.store.db, grant.runId)).toMatchObject({
      state: 'canceled',
      reason: 'newer_merge',
      message: expect.stringContaining(newer!.id),
    })
    expect((await runsOf(harness, { kind: 'deploy', stack: 'production/b' }))[0]).toMatchObject({ state: 'queued' })
    await world.work()
    expect(await stackOf(harness, KEY)).toMatchObject({ status: 'in_sync', brokenByRunId: null })
    expect(world.things.get('production/b')).toBe('2')
  })

  it('is not cut short for one that a freeze holds back', async () => {
    await land(harness, world, 'bad', { 'a/value': '2' })
    const grant = await beginToWait()
    await land(harness, world, 'fix', { 'a/value': '3' })
    const { repositoryId, store, users } = harness
    await store.transaction((tx) =>
      createFreeze(tx, {
        repositoryId,
        environment: 'production',
        reason: 'incident',
        createdById: users.author.id,
        until: null,
      }),
    )
    expect((await heartbeat(grant)).replaced).toEqual([])
  })

  it('is canceled by a person as ever', async () => {
    await land(harness, world, 'bad', { 'a/value': '2' })
    const grant = await beginToWait()
    await land(harness, world, 'fix', { 'a/value': '3' })
    await cancelRun(harness.engine.parts, { runId: grant.runId, actorId: harness.users.author.id })
    await giveWay(grant)
    expect(await getRun(harness.store.db, grant.runId)).toMatchObject({ reason: 'canceled_by_user' })
  })
})
