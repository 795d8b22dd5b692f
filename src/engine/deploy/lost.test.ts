import { describe, expect, it } from 'vitest'
import { getRun, type Run } from '../../store/runs/runs.ts'
import { takeBackLeases } from '../clock.ts'
import { approveWaiting, audited, bootstrap, configOf, land, runsOf, stackOf } from '../testing/flows.ts'
import { applyOne, finishOne, leaseOne, planOne } from '../testing/puppet.ts'
import { useWorld } from '../testing/use-world.ts'

const LEASE_MS = 60_000
const KEY = 'production/a'
const idempotent = { with: { plan: 'true', apply: 'true', idempotent: true } }

describe('a run whose worker is lost', () => {
  const { harness, world } = useWorld({ leaseMs: LEASE_MS })
  const begin = async (stack: object = {}) => {
    await bootstrap(harness, world, {
      'trueup.yaml': configOf({ a: stack, b: { needs: ['a'] } }),
      'a/value': '1',
      'b/value': '1',
    })
    await land(harness, world, 'two', { 'a/value': '2', 'b/value': '2' })
  }
  const lose = async () => {
    harness.clock.advance(LEASE_MS + 1)
    await takeBackLeases(harness.engine.parts)
    await harness.settle()
  }
  const deploys = async (): Promise<Run[]> => runsOf(harness, { kind: 'deploy', stack: KEY })

  it('before it changed anything is queued again, and what the zombie says is refused', async () => {
    await begin()
    const grant = (await leaseOne(harness))!
    const held = { runId: grant.runId, fence: grant.fence }
    await harness.engine.worker.call(harness.workerId, 'state', { ...held, state: 'preparing' })
    await lose()
    expect(await getRun(harness.store.db, grant.runId)).toMatchObject({
      state: 'queued',
      reason: 'lease_expired',
      attempt: 2,
    })
    await expect(planOne(harness, grant, world.script)).rejects.toMatchObject({ code: 'LEASE_LOST' })
    await world.work()
    expect(world.applied).toEqual(['production/a=2', 'production/b=2'])
  })

  it('while applying is followed by a run that waits for a person', async () => {
    await begin()
    const grant = (await leaseOne(harness))!
    expect(await planOne(harness, grant, world.script)).toMatchObject({ action: 'apply' })
    await lose()
    expect(await getRun(harness.store.db, grant.runId)).toMatchObject({ state: 'lost' })
    expect(await stackOf(harness, KEY)).toMatchObject({ brokenByRunId: grant.runId })
    await expect(applyOne(harness, grant, world.script)).rejects.toMatchObject({ code: 'LEASE_LOST' })
    world.applied.length = 0
    world.things.set(KEY, '1')
    await world.work()
    const [follower] = await deploys()
    // The plan is the very one that was approved, and still somebody has to look first.
    expect(follower).toMatchObject({
      state: 'awaiting_approval',
      reason: 'previous_attempt_lost',
      retryOfRunId: grant.runId,
      planDigest: (await getRun(harness.store.db, grant.runId))!.planDigest,
    })
    expect(world.applied).toEqual([])
    await approveWaiting(harness, follower!)
    await world.work()
    expect(world.applied).toEqual(['production/a=2', 'production/b=2'])
    expect(await stackOf(harness, KEY)).toMatchObject({ status: 'in_sync', brokenByRunId: null })
  })

  it('while applying goes on by itself where the apply is idempotent', async () => {
    await begin(idempotent)
    await planOne(harness, (await leaseOne(harness))!, world.script)
    await lose()
    await world.work()
    expect(world.applied).toEqual(['production/a=2', 'production/b=2'])
  })

  it('after the apply was recorded goes on by itself and finds nothing to do', async () => {
    await begin()
    const grant = (await leaseOne(harness))!
    await planOne(harness, grant, world.script)
    await applyOne(harness, grant, world.script)
    await lose()
    await world.work()
    expect(world.applied).toEqual(['production/a=2', 'production/b=2'])
    const [follower] = await deploys()
    expect(follower).toMatchObject({ state: 'succeeded', reason: 'no_changes', retryOfRunId: grant.runId })
  })

  it('three times is given up, and what needs it is blocked', async () => {
    await begin(idempotent)
    for (let time = 0; time < 3; time++) {
      await planOne(harness, (await leaseOne(harness))!, world.script)
      await lose()
    }
    // The clock went on by three leases, so a drift check of the stack beside it may be due.
    expect([undefined, 'drift']).toContain((await leaseOne(harness))?.kind)
    expect((await deploys()).filter((run) => run.state === 'lost')).toHaveLength(3)
    expect(await audited(harness, 'run.given_up')).toHaveLength(1)
    expect(await stackOf(harness, KEY)).toMatchObject({ status: 'failed' })
    expect(await stackOf(harness, 'production/b')).toMatchObject({ status: 'blocked' })
  })

  it('is not overtaken by a newer merge before its follower', async () => {
    await begin(idempotent)
    await planOne(harness, (await leaseOne(harness))!, world.script)
    await land(harness, world, 'three', { 'a/value': '3' })
    await lose()
    await world.work()
    // The newer one writes what was approved, whatever the older one has written meanwhile.
    expect(await runsOf(harness, { state: 'awaiting_approval' })).toEqual([])
    expect(world.applied.filter((entry) => entry.startsWith(KEY))).toEqual([`${KEY}=2`, `${KEY}=3`])
    expect(await stackOf(harness, KEY)).toMatchObject({ status: 'in_sync' })
  })

  it('that comes back with nothing in its hands gives back at once what it had not begun to change', async () => {
    await begin()
    const grant = (await leaseOne(harness))!
    const hello = { protocol: 1, version: '1', hostname: 'h', pools: ['default'], slots: 1 }
    const { worker } = harness.engine
    await worker.call(harness.workerId, 'hello', { ...hello, holding: [{ runId: grant.runId, fence: grant.fence }] })
    expect(await getRun(harness.store.db, grant.runId)).toMatchObject({ state: 'leased' })
    await worker.call(harness.workerId, 'hello', { ...hello, holding: [] })
    expect(await getRun(harness.store.db, grant.runId)).toMatchObject({ state: 'queued', reason: 'worker_restarted' })
  })

  it('survives a restart of the server with its lease', async () => {
    await begin()
    const grant = (await leaseOne(harness))!
    await planOne(harness, grant, world.script)
    await harness.restart()
    const applied = await applyOne(harness, grant, world.script)
    await finishOne(harness, grant, applied)
    await world.work()
    expect(world.applied).toEqual(['production/a=2', 'production/b=2'])
  })

  it('hears the same decision again when the answer was lost, but never a second one', async () => {
    await begin()
    const grant = (await leaseOne(harness))!
    await planOne(harness, grant, world.script)
    const held = { runId: grant.runId, fence: grant.fence, checks: [] }
    const rest = {
      coverage: { checked: 1, unchecked: [] },
      findings: [],
      toolVersions: { puppet: '1.0.0' },
      outputs: {},
    }
    const plan = { ...rest, changes: [], ...(await world.script.plan(grant)) }
    const { worker } = harness.engine
    expect(await worker.call(harness.workerId, 'plan', { ...held, plan })).toMatchObject({ action: 'apply' })
    const other = worker.call(harness.workerId, 'plan', { ...held, plan: { ...plan, changes: [] } })
    await expect(other).rejects.toMatchObject({ code: 'CONFLICT' })
  })

  it('cannot be reported as done without an apply', async () => {
    await begin()
    const grant = (await leaseOne(harness))!
    await planOne(harness, grant, world.script)
    const end = { runId: grant.runId, fence: grant.fence, status: 'succeeded' as const, verify: [] }
    await expect(harness.engine.worker.call(harness.workerId, 'finish', end)).rejects.toMatchObject({
      code: 'CONFLICT',
    })
    expect(await getRun(harness.store.db, grant.runId)).toMatchObject({ state: 'applying' })
  })
})
