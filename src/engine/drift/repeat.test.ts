import { describe, expect, it } from 'vitest'
import { listAudit } from '../../store/audit/list.ts'
import { getRun } from '../../store/runs/runs.ts'
import { patchStack } from '../../store/stacks/stacks.ts'
import { audited, land, runsOf, stackOf } from '../testing/flows.ts'
import { leaseOne } from '../testing/puppet.ts'
import { KEY, MINUTE, useDrift } from '../testing/drifts.ts'
import { checkNow } from './actions.ts'
import { scheduleDrift } from './schedule.ts'

const DAY = 24 * 60 * MINUTE

describe('a check that finds nothing again', () => {
  const { harness, world, begin, wish, check, records } = useDrift()
  const stackId = async () => (await stackOf(harness, KEY)).id
  const order = async (ms = 10 * MINUTE) => {
    harness.clock.advance(ms)
    await patchStack(harness.store.db, await stackId(), { nextDriftAt: harness.clock.now() })
    await scheduleDrift(harness.engine.parts)
  }
  /** A check as the clock orders it. */
  const look = async (ms?: number) => {
    await order(ms)
    await world.work()
  }
  const checks = async () => await runsOf(harness, { stack: KEY, kind: 'drift' })
  const head = async () => (await listAudit(harness.store.db, {}, { limit: 1 })).items[0]?.seq ?? 0

  it('is the first one once more: no row, no event, and the look counts', async () => {
    await begin({ mode: 'enforce' })
    await look()
    const [first] = await checks()
    expect(first).toMatchObject({ state: 'succeeded', repeats: 0, quiet: true })
    expect((await audited(harness, 'run.succeeded')).filter(({ subject }) => subject === first!.id)).toHaveLength(1)
    const [before, runs] = [await head(), (await checks()).length]
    for (let count = 0; count < 3; count++) await look()
    expect(await head()).toBe(before)
    expect(await checks()).toHaveLength(runs)
    const { observedAt, status } = await stackOf(harness, KEY)
    const counted = (await getRun(harness.store.db, first!.id))!
    expect(counted.repeats).toBe(3)
    expect(counted.repeatedAt).toBeGreaterThanOrEqual(observedAt!)
    expect(status).toBe('in_sync')
  })

  it('is told to the audit once a day, and before anything else is found', async () => {
    await begin({ mode: 'observe' })
    await look()
    for (let count = 0; count < 3; count++) await look()
    await look(DAY)
    await look()
    const told = async () =>
      (await audited(harness, 'drift.checked')).map(({ data }) => (data as { count: number }).count)
    expect(await told()).toEqual([3])
    world.things.set(KEY, 'x')
    await look()
    expect(await told()).toEqual(expect.arrayContaining([2, 3]))
    expect((await audited(harness, 'drift.checked'))[0]?.subject).toBe(await stackId())
  })

  it('is a run of its own after drift, a change or a failure, and where more or less was looked at', async () => {
    await begin({ mode: 'observe' })
    await look()
    const count = async () => (await checks()).length
    const alone = await count()
    world.things.set(KEY, 'x')
    await look()
    await look()
    expect(await count()).toBe(alone + 2)
    world.things.set(KEY, '1')
    await look()
    expect(await records()).toMatchObject([{ state: 'gone' }])
    expect(await count()).toBe(alone + 3)
    await look()
    expect(await count()).toBe(alone + 3)
    await land(harness, world, 'two', { 'a/value': '2' })
    await world.work()
    expect(world.applied).toEqual([`${KEY}=2`])
    await look()
    const deployed = await count()
    expect(deployed).toBeGreaterThan(alone + 3)
    await look()
    expect(await count()).toBe(deployed)
  })

  it('is kept when somebody asks for it, also while it is under way', async () => {
    await begin({ mode: 'observe' })
    await look()
    await look()
    const alone = (await checks()).length
    await check()
    expect(await checks()).toHaveLength(alone + 1)
    await look()
    await order()
    const asked = await checkNow(harness.engine.parts, await wish())
    expect(asked).toMatchObject({ state: 'queued', quiet: false })
    await world.work()
    expect(await getRun(harness.store.db, asked.id)).toMatchObject({ state: 'succeeded', quiet: false })
  })

  it('is ended by its holder only', async () => {
    await begin({ mode: 'observe' })
    await look()
    await order()
    const held = (await leaseOne(harness))!
    await harness.store.db
      .updateTable('runs')
      .set({ fence: held.fence + 1 })
      .where('id', '=', held.runId)
      .execute()
    const plan = { changes: [], findings: [], coverage: { checked: 1, unchecked: [] }, toolVersions: {} }
    const params = { runId: held.runId, fence: held.fence, plan, checks: [] }
    await expect(harness.engine.worker.call(harness.workerId, 'plan', params as never)).rejects.toMatchObject({
      code: 'LEASE_LOST',
    })
    expect(await getRun(harness.store.db, held.runId)).toMatchObject({ finishedAt: null })
  })
})
