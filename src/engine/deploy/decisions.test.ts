import { describe, expect, it } from 'vitest'
import { listComments } from '../../store/changes/comments.ts'
import { listDeployments } from '../../store/stacks/deployments.ts'
import { approveRun, cancelRun } from '../runs/actions.ts'
import { retryRun } from '../runs/retry.ts'
import { approveWaiting, audited, configOf, land, merge, propose, runsOf, stackOf } from '../testing/flows.ts'
import { useWorld } from '../testing/use-world.ts'

const KEY = 'production/a'
const CONFIG = configOf({ a: {} })

describe('what becomes of a deployment', () => {
  const { harness, world } = useWorld({ files: { 'trueup.yaml': CONFIG, 'a/value': '1' } })

  it('is adopted by an empty first plan', async () => {
    const [run] = await runsOf(harness, { kind: 'deploy' })
    expect(run).toMatchObject({ state: 'succeeded', reason: 'no_changes' })
    expect(await stackOf(harness, KEY)).toMatchObject({ status: 'in_sync', deployedCommit: run!.commitOid })
  })

  it('waits when reality moved, shows the difference, and applies what a second person approved', async () => {
    await land(harness, world, 'two', { 'a/value': '2' })
    world.things.set(KEY, 'foreign')
    await world.work()
    const [waiting] = await runsOf(harness, { state: 'awaiting_approval' })
    expect(waiting).toMatchObject({ reason: 'plan_changed', result: { differences: [{ address: 'thing' }] } })
    expect(world.applied).toEqual([])
    const statusReason = expect.stringMatching(`^run ${waiting!.id}: not what was approved`)
    expect(await stackOf(harness, KEY)).toMatchObject({ status: 'awaiting_approval', statusReason })

    const byAuthor = approveRun(harness.engine.parts, {
      runId: waiting!.id,
      digest: waiting!.planDigest!,
      actorId: harness.users.author.id,
    })
    await expect(byAuthor).rejects.toMatchObject({ code: 'FORBIDDEN' })
    const another = approveRun(harness.engine.parts, {
      runId: waiting!.id,
      digest: 'sha256:other',
      actorId: harness.users.second.id,
    })
    await expect(another).rejects.toMatchObject({ code: 'PLAN_CHANGED' })
    await approveWaiting(harness, waiting!)
    await world.work()
    expect(world.applied).toEqual([`${KEY}=2`])
  })

  it('goes on when only a text moved that it overwrites anyway', async () => {
    await land(harness, world, 'two', { 'a/value': '2' })
    world.things.set(KEY, 'tampered')
    await world.work()
    expect(await runsOf(harness, { state: 'awaiting_approval' })).toEqual([])
    expect(world.applied).toEqual([`${KEY}=2`])
  })

  it('lets only named approvers release what waits', async () => {
    const approvals = { required: 1, from: ['user:reviewer'] }
    const named = configOf({ a: {} }, { environments: { production: { tier: 'production', approvals } } })
    await land(harness, world, 'rules', { 'trueup.yaml': named })
    await land(harness, world, 'two', { 'a/value': '2' })
    world.things.set(KEY, 'foreign')
    await world.work()
    const [waiting] = await runsOf(harness, { state: 'awaiting_approval' })
    await expect(approveWaiting(harness, waiting!, harness.users.second)).rejects.toMatchObject({ code: 'FORBIDDEN' })
    await approveWaiting(harness, waiting!, harness.users.reviewer)
    await world.work()
    expect(world.applied).toEqual([`${KEY}=2`])
  })

  it('released past its approvers is recorded as a bypass, and by one of them is none', async () => {
    const approvals = { required: 1, from: ['user:reviewer'] }
    const named = configOf({ a: {} }, { environments: { production: { tier: 'production', approvals } } })
    await land(harness, world, 'rules', { 'trueup.yaml': named })
    await land(harness, world, 'two', { 'a/value': '2' })
    const { author, reviewer, second } = harness.users
    for (const [by, bypass] of [
      [second, true],
      [author, true],
      [reviewer, false],
    ] as const) {
      world.things.set(KEY, `foreign to ${by.name}`)
      await world.work()
      const [waiting] = await runsOf(harness, { state: 'awaiting_approval' })
      const wish = { runId: waiting!.id, digest: waiting!.planDigest!, actorId: by.id, reason: 'at night' }
      await approveRun(harness.engine.parts, wish)
      expect((await audited(harness, 'run.queued'))[0]?.data).toMatchObject({ bypass, approvalReason: 'at night' })
    }
  })

  it('waits again when reality moves between the approval and the next plan', async () => {
    await land(harness, world, 'two', { 'a/value': '2' })
    world.things.set(KEY, 'foreign')
    await world.work()
    const [waiting] = await runsOf(harness, { state: 'awaiting_approval' })
    await approveWaiting(harness, waiting!)
    world.things.set(KEY, 'foreign again')
    await world.work()
    expect(world.applied).toEqual([])
    expect((await runsOf(harness, { state: 'awaiting_approval' })).map((run) => run.id)).toEqual([waiting!.id])
  })

  it('has nothing to do where reality is already what was approved', async () => {
    await land(harness, world, 'two', { 'a/value': '2' })
    world.things.set(KEY, '2')
    await world.work()
    expect(world.applied).toEqual([])
    expect(await stackOf(harness, KEY)).toMatchObject({ status: 'in_sync' })
  })

  it('is superseded by a newer merge while it waits', async () => {
    await land(harness, world, 'two', { 'a/value': '2' })
    world.things.set(KEY, 'foreign')
    await world.work()
    const [waiting] = await runsOf(harness, { state: 'awaiting_approval' })
    await land(harness, world, 'three', { 'a/value': '3' })
    await world.work()
    expect((await runsOf(harness, { state: 'superseded', kind: 'deploy' })).map((run) => run.id)).toEqual([waiting!.id])
    expect(world.applied).toEqual([`${KEY}=3`])
    expect(await stackOf(harness, KEY)).toMatchObject({ status: 'in_sync' })
  })

  it('that a person cancels is not applied, also when the plan is on its way', async () => {
    await land(harness, world, 'two', { 'a/value': '2' })
    const { script } = world
    const plan = script.plan
    script.plan = async (grant) => {
      await cancelRun(harness.engine.parts, { runId: grant.runId, actorId: harness.users.second.id })
      return plan(grant)
    }
    const [worked] = await world.work()
    expect(worked?.decision).toEqual({ action: 'stop', reason: 'canceled_by_user' })
    expect(world.applied).toEqual([])
    script.plan = plan
    const [canceled] = await runsOf(harness, { state: 'canceled' })
    await retryRun(harness.engine.parts, { runId: canceled!.id, actorId: harness.users.second.id })
    await world.work()
    expect(world.applied).toEqual([`${KEY}=2`])
  })

  it('that has been overtaken is not retried', async () => {
    world.failing.add(KEY)
    await land(harness, world, 'two', { 'a/value': '2' })
    await world.work()
    const [failed] = await runsOf(harness, { state: 'failed' })
    world.failing.clear()
    await land(harness, world, 'three', { 'a/value': '3' })
    await world.work()
    const retry = retryRun(harness.engine.parts, { runId: failed!.id, actorId: harness.users.second.id })
    await expect(retry).rejects.toMatchObject({ code: 'CONFLICT', text: { why: expect.stringContaining('Git') } })
  })

  it('that fails half-way leaves the stack broken, says what was done, and a fix clears it', async () => {
    world.failing.add(KEY)
    await land(harness, world, 'two', { 'a/value': '2' })
    await world.work()
    const [failed] = await runsOf(harness, { state: 'failed' })
    expect(await stackOf(harness, KEY)).toMatchObject({
      status: 'failed',
      brokenByRunId: failed!.id,
      statusReason: `run ${failed!.id} ended badly after it had begun to apply: ${failed!.message}`,
    })
    const { items } = await listDeployments(harness.store.db, { repositoryId: harness.repositoryId })
    expect(items[0]).toMatchObject({ status: 'failed', runId: failed!.id })
    const [broken] = await audited(harness, 'stack.broken')
    expect(broken).toMatchObject({ data: { done: ['half'], doneCount: 1 } })
    const comments = await listComments(harness.store.db, failed!.mrId!)
    const said = comments.find((comment) => comment.marker === 'deployment')?.body
    expect(said).toContain('production/a')
    expect(said).toContain('half: done')
    expect(said).toContain('thing: failed (no such luck)')

    world.failing.clear()
    await land(harness, world, 'three', { 'a/value': '3' })
    await world.work()
    expect(await stackOf(harness, KEY)).toMatchObject({ status: 'in_sync', brokenByRunId: null })
  })

  it('that ended before its first write has not broken the stack', async () => {
    const { apply } = world.script
    world.script.apply = () => ({ status: 'failed', untouched: true })
    await land(harness, world, 'two', { 'a/value': '2' })
    await world.work()
    const [failed] = await runsOf(harness, { state: 'failed' })
    expect(failed).toMatchObject({ kind: 'deploy', mrId: expect.any(String) })
    expect(await stackOf(harness, KEY)).toMatchObject({ brokenByRunId: null })
    expect(await audited(harness, 'stack.broken')).toEqual([])

    world.script.apply = apply
    await retryRun(harness.engine.parts, { runId: failed!.id, actorId: harness.users.second.id })
    await world.work()
    expect(await stackOf(harness, KEY)).toMatchObject({ status: 'in_sync' })
  })

  it('of a merge past the gates is recorded as such', async () => {
    const mr = await propose(harness, 'two', { 'a/value': '2' })
    await world.work()
    await expect(merge(harness, mr.id)).rejects.toMatchObject({ code: 'MR_BLOCKED' })
    const merged = await merge(harness, mr.id, { bypassReason: 'the shop is on fire' })
    expect(merged).toMatchObject({ state: 'merged', bypassReason: 'the shop is on fire' })
    const [event] = await audited(harness, 'mr.merge_bypassed')
    expect(event).toMatchObject({ data: { bypassReason: 'the shop is on fire' } })
    await world.work()
    expect(world.applied).toEqual([`${KEY}=2`])
  })
})

describe('a push past the gates', () => {
  const { harness, world } = useWorld()

  it('waits in a protected environment, and goes on elsewhere', async () => {
    const environments = { production: { tier: 'production' }, lab: {} }
    const config = configOf({ a: { environments: ['production', 'lab'] } }, { environments })
    await harness.push('main', { 'trueup.yaml': config, 'a/value': '1' })
    await world.work()
    expect(world.applied).toEqual(['lab/a=1'])
    expect(await stackOf(harness, KEY)).toMatchObject({ status: 'awaiting_approval' })
    const [waiting] = await runsOf(harness, { state: 'awaiting_approval' })
    expect(waiting).toMatchObject({ reason: 'not_approved' })
  })
})
