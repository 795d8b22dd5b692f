import { describe, expect, it } from 'vitest'
import { checkNow } from '../drift/actions.ts'
import { audited, bootstrap, configOf, land, runsOf, stackOf } from '../testing/flows.ts'
import { applyOne, leaseOne, planOne } from '../testing/puppet.ts'
import { useWorld } from '../testing/use-world.ts'

const KEY = 'production/a'

describe('a run whose target moved between plan and apply', () => {
  const { harness, world } = useWorld()
  const begin = async (stack: object = {}) => {
    const config = configOf({ a: stack, b: { needs: ['a'] } })
    await bootstrap(harness, world, { 'trueup.yaml': config, 'a/value': '1', 'b/value': '1' })
    await land(harness, world, 'two', { 'a/value': '2', 'b/value': '2' })
  }

  /** Plans the next run and ends its apply as a driver does that finds its plan stale, or with another error. */
  const goStale = async (done: string[] = [], code = 'PLAN_STALE', untouched = done.length === 0): Promise<string> => {
    const grant = (await leaseOne(harness))!
    expect(await planOne(harness, grant, world.script)).toMatchObject({ action: 'apply' })
    const resources = done.map((address) => ({ address, actions: ['update' as const], status: 'done' as const }))
    const apply = () => ({ status: 'failed' as const, resources, untouched })
    await applyOne(harness, grant, { ...world.script, apply })
    const error = { code, doing: 'applying', why: 'it changed after the plan was made', next: 'Plan again.' }
    const held = { runId: grant.runId, fence: grant.fence }
    await harness.engine.worker.call(harness.workerId, 'finish', { ...held, status: 'failed', verify: [], error })
    await harness.settle()
    return grant.runId
  }

  it('is planned again and applied as it was approved, and what needs it waits for that', async () => {
    await begin()
    const stale = await goStale()
    expect(await stackOf(harness, KEY)).toMatchObject({ brokenByRunId: null, status: 'pending' })
    await world.work()
    expect(world.applied).toEqual([`${KEY}=2`, 'production/b=2'])
    const [follower] = await runsOf(harness, { kind: 'deploy', stack: KEY })
    expect(follower).toMatchObject({ state: 'succeeded', retryOfRunId: stale })
  })

  it('three times is given up without leaving the stack broken', async () => {
    await begin()
    for (let time = 0; time < 3; time++) await goStale()
    expect(await audited(harness, 'run.given_up')).toHaveLength(1)
    expect(await stackOf(harness, KEY)).toMatchObject({ brokenByRunId: null, status: 'failed' })
    expect(await stackOf(harness, 'production/b')).toMatchObject({ status: 'blocked' })
  })

  it('and says so after it did something is broken half-way', async () => {
    await begin()
    const stale = await goStale(['half'])
    expect(await stackOf(harness, KEY)).toMatchObject({ brokenByRunId: stale, status: 'failed' })
  })

  it('or that was refused before its first write leaves the stack as it was deployed, and its drift is healed', async () => {
    await begin({ drift: { mode: 'enforce' } })
    await goStale([], 'TOOL_FAILED')
    expect(await stackOf(harness, KEY)).toMatchObject({ brokenByRunId: null, status: 'failed' })
    world.things.set(KEY, 'tampered')
    await checkNow(harness.engine.parts, {
      stackId: (await stackOf(harness, KEY)).id,
      actorId: harness.users.second.id,
    })
    await world.work()
    expect(world.applied).toEqual([`${KEY}=1`])
  })

  it('or that a driver cannot vouch for counts as broken', async () => {
    await begin()
    const failed = await goStale([], 'TOOL_FAILED', false)
    expect(await stackOf(harness, KEY)).toMatchObject({ brokenByRunId: failed, status: 'failed' })
  })
})
