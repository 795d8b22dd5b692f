import { describe, expect, it } from 'vitest'
import { RunRequest } from '../../domain/runs/run-request.ts'
import { listAudit } from '../../store/audit/list.ts'
import { standingDrift } from '../../store/stacks/drift.ts'
import { checkNow } from '../drift/actions.ts'
import { approveRun } from '../runs/actions.ts'
import { retryRun } from '../runs/retry.ts'
import { approveWaiting, bootstrap, configOf, land, runsOf, stackOf } from '../testing/flows.ts'
import { update } from '../testing/puppet.ts'
import { createWorld } from '../testing/world.ts'
import { useWorld } from '../testing/use-world.ts'
import { requestRun } from './request-run.ts'

const KEY = 'production/a'
const terraform = { driver: 'terraform', with: {} }
const CODE = { 'a/main.tf': '' }

describe('a run that a person asks for', () => {
  const { harness, world } = useWorld()

  const begin = (environments?: object, stack: object = terraform) =>
    bootstrap(harness, world, {
      'trueup.yaml': configOf({ a: stack }, environments ? { environments } : {}),
      'a/value': '1',
      ...CODE,
    })
  const ask = async (request: object) =>
    requestRun(harness.engine.parts, {
      stackId: (await stackOf(harness, KEY)).id,
      request: RunRequest.parse(request),
      reason: 'its disk is worn out',
      actorId: harness.users.author.id,
    })
  /** A tool that finds two resources to change, of which it looks only at those asked for. */
  const twoThings = () => {
    world.script.plan = (grant) => {
      const wanted = grant.request?.targets ?? []
      const all = [update('one', 'x', '1'), update('two', 'y', '2')]
      return { changes: wanted.length === 0 ? all : all.filter(({ address }) => wanted.includes(address)) }
    }
  }

  it('waits for somebody else where the environment wants approvals, and is told to the worker', async () => {
    await begin()
    twoThings()
    const { id } = await ask({ replaces: ['one'] })
    const [worked] = await world.work()
    expect(worked!.grant).toMatchObject({ kind: 'heal', request: { replaces: ['one'], targets: [] } })
    const [run] = await runsOf(harness, { kind: 'heal' })
    expect(run).toMatchObject({ id, state: 'awaiting_approval', reason: 'not_approved' })
    const own = { runId: id, digest: run!.planDigest!, actorId: harness.users.author.id }
    await expect(approveRun(harness.engine.parts, own)).rejects.toMatchObject({ code: 'FORBIDDEN' })
    await approveWaiting(harness, run!)
    await world.work()
    expect(await runsOf(harness, { kind: 'heal' })).toMatchObject([{ state: 'succeeded', reason: 'applied' }])
    expect((await stackOf(harness, KEY)).deployedConfig).not.toHaveProperty('request')
    const { items } = await listAudit(harness.store.db, { action: 'stack.run_requested' }, { limit: 10 })
    expect(items).toMatchObject([
      {
        actor: `user:${harness.users.author.id}`,
        data: { runId: id, request: { replaces: ['one'] }, reason: 'its disk is worn out' },
      },
    ])
  })

  it('goes ahead where nothing is protected, and closes the drift only of what it looked at', async () => {
    await begin({ production: { tier: 'development' } })
    twoThings()
    const stackId = (await stackOf(harness, KEY)).id
    await checkNow(harness.engine.parts, { stackId, actorId: harness.users.second.id })
    await world.work()
    expect(await standingDrift(harness.store.db, stackId)).toHaveLength(2)
    await ask({ targets: ['one'] })
    await world.work()
    expect(await runsOf(harness, { kind: 'heal' })).toMatchObject([{ state: 'succeeded', reason: 'applied' }])
    expect(await standingDrift(harness.store.db, stackId)).toMatchObject([{ address: 'two' }])
    await ask({ state: { do: 'remove', addresses: ['two'] } })
    await world.work()
    expect(await standingDrift(harness.store.db, stackId)).toMatchObject([{ address: 'two' }])
  })

  it('is not taken back because drift is gone, and is asked for again by a retry', async () => {
    await begin()
    twoThings()
    const { id } = await ask({ targets: ['one'] })
    await world.work()
    const stackId = (await stackOf(harness, KEY)).id
    world.script.plan = () => ({})
    await checkNow(harness.engine.parts, { stackId, actorId: harness.users.second.id })
    await world.work()
    const [waiting] = await runsOf(harness, { kind: 'heal' })
    expect(waiting).toMatchObject({ id, state: 'awaiting_approval' })
    await approveWaiting(harness, waiting!)
    await world.work()
    expect(await runsOf(harness, { kind: 'heal' })).toMatchObject([{ state: 'succeeded', reason: 'no_changes' }])
    const again = await retryRun(harness.engine.parts, { runId: id, actorId: harness.users.second.id })
    expect(again.spec).toMatchObject({ request: { targets: ['one'] }, orderedById: harness.users.second.id })
  })

  it('never moves the stack to what is newer: a merge meanwhile ends it', async () => {
    await begin()
    twoThings()
    await ask({ targets: ['one'] })
    await world.work()
    const fresh = createWorld(harness)
    fresh.things.set(KEY, '1')
    await land(harness, fresh, 'change', { 'a/value': '2' })
    await fresh.work()
    expect(fresh.things.get(KEY)).toBe('2')
    const [asked] = await runsOf(harness, { kind: 'heal' })
    expect(asked).toMatchObject({ state: 'superseded' })
    await expect(ask({ targets: ['one'] })).resolves.toMatchObject({
      commitOid: expect.not.stringMatching(asked!.commitOid),
    })
  })

  it('is refused by drivers that know no such thing', async () => {
    await begin(undefined, {})
    await expect(ask({ targets: ['one'] })).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining('driver "command" knows no targets'),
    })
  })
})
