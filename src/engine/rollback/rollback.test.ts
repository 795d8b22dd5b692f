import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { closeMergeRequest } from '../../forges/builtin/lifecycle.ts'
import { listDeployments } from '../../store/stacks/deployments.ts'
import { listMergeRequests, type MergeRequest } from '../../store/changes/merge-requests.ts'
import { listQuarantine } from '../../store/stacks/quarantine.ts'
import { checkNow } from '../drift/actions.ts'
import { retryRun } from '../runs/retry.ts'
import { setVariable } from '../stacks/change-variable.ts'
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
import { type EngineHarness, startHarness } from '../testing/harness.ts'
import { applyOne, finishOne, leaseOne, planOne } from '../testing/puppet.ts'
import { createWorld, type World } from '../testing/world.ts'
import { liftQuarantine } from '../rolled-back/quarantine.ts'
import { rollBack, type RollbackTarget } from './rollback.ts'

const KEY = 'production/a'
const environments = (rules: object) => ({
  environments: { production: { tier: 'production', approvals: { required: 1 }, ...rules } },
})
const lane = (rollback: string) => environments({ approvals: { required: 2, rollback } })

describe('a rollback', () => {
  let harness: EngineHarness
  let world: World
  beforeEach(async () => {
    harness = await startHarness()
    world = createWorld(harness)
  })
  afterEach(() => harness.stop())

  const files = { 'a/value': '1', 'b/value': '1', 'README.md': 'x' }
  const begin = (config = configOf({ a: {}, b: {} })) => bootstrap(harness, world, { 'trueup.yaml': config, ...files })
  const deploy = async (branch: string, changes: { [path: string]: string }, bypassReason = 'test') => {
    const mr = await propose(harness, branch, changes)
    await world.work()
    await merge(harness, mr.id, { bypassReason })
    await world.work()
    return await mrOf(harness, mr.id)
  }
  const back = async (target: RollbackTarget): Promise<MergeRequest> => {
    const { parts, forge } = harness.engine
    const mr = await rollBack(parts, forge, { target, reason: 'it smells', actorId: harness.users.author.id })
    await harness.settle()
    return mr
  }
  const opened = async () => {
    const filter = { repositoryId: harness.repositoryId, states: ['open'] as const }
    return (await listMergeRequests(harness.store.db, filter)).items.filter((mr) => mr.origin === 'rollback')
  }
  const stack = async (key = KEY): Promise<RollbackTarget> => ({
    what: 'stack',
    stackId: (await stackOf(harness, key)).id,
  })

  it('of a stack goes back to its last good state and leaves the rest as it is', async () => {
    await begin()
    await deploy('two', { 'a/value': '2', 'b/value': '2' })
    const mr = await back(await stack())
    expect(mr).toMatchObject({ origin: 'rollback', title: `Roll back ${KEY}`, state: 'open' })
    expect(await harness.git.changedPaths(mr.targetOid, mr.headOid)).toEqual(['a/value'])
    await world.work()
    await approve(harness, mr.id)
    await world.work()
    // One approval opens the fast lane, and the engine merges by itself.
    expect(await mrOf(harness, mr.id)).toMatchObject({ state: 'merged' })
    expect(world.things.get(KEY)).toBe('1')
    expect(world.things.get('production/b')).toBe('2')
    expect(await stackOf(harness, KEY)).toMatchObject({ status: 'in_sync' })
  })

  it.each([
    ['none', 0],
    ['one', 1],
    ['same', 2],
  ])('needs what the environment says: %s', async (rollback, needed) => {
    await begin(configOf({ a: {}, b: {} }, lane(rollback)))
    await deploy('two', { 'a/value': '2' })
    const mr = await back(await stack())
    await world.work()
    const reviewers = [harness.users.reviewer, harness.users.second]
    for (const reviewer of reviewers.slice(0, needed)) {
      expect(await mrOf(harness, mr.id)).toMatchObject({ state: 'open' })
      await approve(harness, mr.id, reviewer)
    }
    await world.work()
    expect(await mrOf(harness, mr.id)).toMatchObject({ state: 'merged' })
    expect(world.things.get(KEY)).toBe('1')
  })

  it('loses the fast lane with a commit on top', async () => {
    await begin(configOf({ a: {}, b: {} }, lane('none')))
    await deploy('two', { 'a/value': '2' })
    const mr = await back(await stack())
    await harness.push(mr.sourceBranch, { 'b/value': 'smuggled' })
    await world.work()
    expect(await unmet(harness, mr.id)).toEqual(['approvals'])
    expect(await mrOf(harness, mr.id)).toMatchObject({ state: 'open' })
  })

  it('has no fast lane to laxer rules', async () => {
    await begin(configOf({ a: { verify: ['true'] }, b: {} }, lane('none')))
    const changed = configOf({ a: {}, b: {} }, lane('none'))
    await deploy('two', { 'a/value': '2', 'trueup.yaml': changed })
    const { items } = await listDeployments(harness.store.db, { stackId: (await stackOf(harness, KEY)).id })
    await back({ what: 'deployment', repositoryId: harness.repositoryId, deploymentId: items[0]!.id })
    await world.work()
    const [mr] = (await listMergeRequests(harness.store.db, { states: ['open'] })).items
    expect(await unmet(harness, mr!.id)).toEqual(['approvals'])
  })

  it('goes only to commits at which the default branch has stood', async () => {
    await begin(configOf({ a: {}, b: {} }, lane('none')))
    const good = (await harness.git.resolve('refs/heads/main'))!
    const pushed = await harness.push('evil', { 'a/value': 'evil' })
    await deploy('two', { 'a/value': '2' })
    const hidden = await harness.push('three', { 'a/value': 'hidden' })
    await deploy('three', { 'a/value': '3' })
    const target = { what: 'stack' as const, stackId: (await stackOf(harness, KEY)).id }
    for (const toCommit of [pushed, hidden])
      await expect(back({ ...target, toCommit })).rejects.toMatchObject({ code: 'CONFLICT' })
    const environment = { what: 'environment' as const, repositoryId: harness.repositoryId, environment: 'production' }
    await expect(back({ ...environment, toCommit: pushed })).rejects.toMatchObject({ code: 'CONFLICT' })
    expect(await back({ ...target, toCommit: good })).toMatchObject({ state: 'open' })
  })

  it('of an environment takes back its newest merge', async () => {
    await begin()
    await deploy('one', { 'a/value': '1a' })
    await deploy('two', { 'a/value': '2', 'b/value': '2' })
    const mr = await back({ what: 'environment', repositoryId: harness.repositoryId, environment: 'production' })
    await world.work()
    await approve(harness, mr.id)
    await world.work()
    expect(world.things.get(KEY)).toBe('1a')
    expect(world.things.get('production/b')).toBe('1')
  })

  it('of a deployment reverts its merge, also below later ones', async () => {
    await begin()
    await deploy('two', { 'a/value': '2' })
    await deploy('three', { 'b/value': '3' })
    const { items } = await listDeployments(harness.store.db, { stackId: (await stackOf(harness, KEY)).id })
    const target = { what: 'deployment' as const, repositoryId: harness.repositoryId, deploymentId: items[0]!.id }
    const mr = await back(target)
    await world.work()
    await approve(harness, mr.id)
    await world.work()
    expect(world.things.get(KEY)).toBe('1')
    expect(world.things.get('production/b')).toBe('3')
    await expect(back({ ...target, repositoryId: 'repo_other' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('of a deployment that later changes touched says so', async () => {
    await begin()
    await deploy('two', { 'a/value': '2' })
    const { items } = await listDeployments(harness.store.db, { stackId: (await stackOf(harness, KEY)).id })
    await deploy('three', { 'a/value': '3' })
    const target = { what: 'deployment' as const, repositoryId: harness.repositoryId, deploymentId: items[0]!.id }
    await expect(back(target)).rejects.toMatchObject({ code: 'MR_CONFLICT' })
  })

  it('of an environment takes back what its newest merge could not deploy, too', async () => {
    await begin(configOf({ a: {}, b: { needs: ['a'] } }))
    world.failing.add(KEY)
    await deploy('two', { 'a/value': '2', 'b/value': '2' })
    world.failing.clear()
    expect(await stackOf(harness, 'production/b')).toMatchObject({ status: 'blocked' })
    const mr = await back({ what: 'environment', repositoryId: harness.repositoryId, environment: 'production' })
    await world.work()
    await approve(harness, mr.id)
    await world.work()
    expect(world.things.get(KEY)).toBe('1')
    expect(world.things.get('production/b')).toBe('1')
    expect(await stackOf(harness, 'production/b')).toMatchObject({ status: 'in_sync' })
  })

  describe('of a merge that changed the inputs of another stack', () => {
    const inputs = { a: {}, b: { inputs: { in: 'a.value' } } }
    beforeEach(async () => {
      await begin(configOf(inputs))
      await deploy('one', { 'b/value': '1b' })
      await deploy('two', { 'a/value': '2' })
      expect(world.things.get('production/b')).toBe('1b|in=2')
    })
    const wentBack = async (target: RollbackTarget) => {
      const mr = await back(target)
      await world.work()
      await approve(harness, mr.id)
      await world.work()
      expect(world.things.get(KEY)).toBe('1')
      expect(world.things.get('production/b')).toBe('1b|in=1')
      expect(await listQuarantine(harness.store.db, { repositoryId: harness.repositoryId })).toHaveLength(1)
    }

    it('leaves the source of that one as it is when its environment goes back', async () => {
      await wentBack({ what: 'environment', repositoryId: harness.repositoryId, environment: 'production' })
    })

    it('leaves the source of that one as it is when the deployment goes back', async () => {
      const { items } = await listDeployments(harness.store.db, {
        stackId: (await stackOf(harness, 'production/b')).id,
      })
      await wentBack({ what: 'deployment', repositoryId: harness.repositoryId, deploymentId: items[0]!.id })
    })
  })

  it('of a destruction reverts the merge that removed the stack', async () => {
    await begin(configOf({ a: { onRemove: 'destroy' }, b: {} }))
    await deploy('two', { 'a/value': '2', 'b/value': '2' })
    const gone = await propose(harness, 'gone', { 'trueup.yaml': configOf({ b: {} }) })
    await world.work()
    await approve(harness, gone.id)
    await merge(harness, gone.id)
    await world.work()
    expect(world.things.has(KEY)).toBe(false)
    const [destroyed] = (await listDeployments(harness.store.db, { stackId: (await stackOf(harness, KEY)).id })).items
    expect(destroyed).toMatchObject({ kind: 'destroy' })
    const mr = await back({
      what: 'deployment',
      repositoryId: harness.repositoryId,
      deploymentId: destroyed!.id,
    })
    expect(await harness.git.changedPaths(mr.targetOid, mr.headOid)).toEqual(['trueup.yaml'])
    await world.work()
    await approve(harness, mr.id)
    await world.work()
    expect(world.things.get(KEY)).toBe('2')
    expect(world.things.get('production/b')).toBe('2')
  })

  it('of a deployment that no commit caused says so', async () => {
    await begin(configOf({ a: {}, b: {} }, { environments: { production: {} } }))
    await deploy('two', { 'b/value': '2' })
    await setVariable(harness.engine.parts, {
      repositoryId: harness.repositoryId,
      environment: 'production',
      stack: 'a',
      name: 'COLOR',
      phase: 'both',
      value: 'red',
      secret: false,
      actorId: harness.users.second.id,
    })
    await world.work()
    const { items } = await listDeployments(harness.store.db, { stackId: (await stackOf(harness, KEY)).id })
    const target = { what: 'deployment' as const, repositoryId: harness.repositoryId, deploymentId: items[0]!.id }
    await expect(back(target)).rejects.toMatchObject({
      code: 'CONFLICT',
      text: { why: expect.stringContaining('no commit caused it') },
    })
  })

  it('reverts the merge where the settings changed, not the files', async () => {
    await begin()
    const settings = configOf({ a: { with: { plan: 'false', apply: 'true' } }, b: {} })
    await deploy('two', { 'trueup.yaml': settings })
    const mr = await back(await stack())
    expect(await harness.git.changedPaths(mr.targetOid, mr.headOid)).toEqual(['trueup.yaml'])
  })

  it('goes to a commit that is named, and to none that is not there', async () => {
    await begin()
    const first = await harness.git.resolve('refs/heads/main')
    await deploy('two', { 'a/value': '2' })
    await deploy('three', { 'a/value': '3' })
    const mr = await back({ ...(await stack()), toCommit: first! } as RollbackTarget)
    expect((await harness.git.readFile(mr.headOid, 'a/value'))?.toString()).toBe('1')
    const nowhere = { ...(await stack()), toCommit: 'f'.repeat(40) } as RollbackTarget
    await expect(back(nowhere)).rejects.toMatchObject({ code: 'GIT_OBJECT_MISSING' })
  })

  it('has nothing to go back to after the first deployment', async () => {
    await begin()
    await expect(back(await stack())).rejects.toMatchObject({
      code: 'CONFLICT',
      text: { why: expect.stringContaining('no earlier') },
    })
  })

  it('takes back a merge that is not deployed yet', async () => {
    await begin()
    await land(harness, world, 'two', { 'a/value': '2' })
    const mr = await back(await stack())
    expect(await runsOf(harness, { kind: 'deploy', state: 'canceled' })).toMatchObject([{ reason: 'rolled_back' }])
    expect((await harness.git.readFile(mr.headOid, 'a/value'))?.toString()).toBe('1')
    await world.work()
    expect(world.applied).toEqual([])
  })

  it('keeps the bad state from coming back by retries, heals and merges until the quarantine is lifted', async () => {
    await begin(configOf({ a: { drift: { mode: 'enforce' } }, b: {} }))
    await deploy('two', { 'a/value': '2' })
    const bad = (await runsOf(harness, { kind: 'deploy', stack: KEY }))[0]!
    const mr = await back(await stack())
    const { parts } = harness.engine
    const actorId = harness.users.second.id
    await expect(retryRun(parts, { runId: bad.id, actorId })).rejects.toMatchObject({ code: 'CONFLICT' })
    world.things.set(KEY, 'tampered')
    await checkNow(parts, { stackId: bad.stackId, actorId })
    await world.work()
    expect(world.things.get(KEY)).toBe('tampered')
    await approve(harness, mr.id)
    await world.work()
    for (const waiting of await runsOf(harness, { state: 'awaiting_approval' })) {
      await approveWaiting(harness, waiting)
    }
    await world.work()
    expect(world.things.get(KEY)).toBe('1')

    const again = await propose(harness, 'again', { 'a/value': '2' })
    await world.work()
    await approve(harness, again.id)
    expect(await unmet(harness, again.id)).toEqual(['quarantine'])
    const [entry] = await listQuarantine(harness.store.db, { stackId: bad.stackId })
    expect(entry).toMatchObject({ reason: 'it smells' })
    await liftQuarantine(parts, { quarantineId: entry!.id, reason: 'fixed below', actorId })
    await harness.settle()
    expect(await unmet(harness, again.id)).toEqual([])
    await merge(harness, again.id)
    await world.work()
    expect(world.things.get(KEY)).toBe('2')
  })

  it('happens by itself after a failure where the environment says so, once', async () => {
    await begin(
      configOf({ a: {}, b: {} }, environments({ onFailure: 'rollback', approvals: { required: 1, rollback: 'none' } })),
    )
    const mr = await propose(harness, 'two', { 'a/value': '2' })
    await world.work()
    const apply = world.script.apply!
    world.failing.add(KEY)
    world.script.apply = (grant) => {
      world.things.set(KEY, 'half done')
      return apply(grant)
    }
    await merge(harness, mr.id, { bypassReason: 'test' })
    await world.work()
    const rollbacks = async () =>
      (await listMergeRequests(harness.store.db, { repositoryId: harness.repositoryId })).items.filter(
        (item) => item.origin === 'rollback',
      )
    expect(await rollbacks()).toMatchObject([{ state: 'merged', description: expect.stringContaining('told to fail') }])
    // The way back fails as well: then it is for people.
    expect(await stackOf(harness, KEY)).toMatchObject({ status: 'failed' })
    expect(await rollbacks()).toHaveLength(1)
    expect((await harness.git.readFile((await harness.git.resolve('refs/heads/main'))!, 'a/value'))?.toString()).toBe(
      '1',
    )
  })

  it('of what an open one takes back already is refused, and the open one named', async () => {
    await begin()
    await deploy('two', { 'a/value': '2', 'b/value': '2' })
    const open = await back({ what: 'environment', repositoryId: harness.repositoryId, environment: 'production' })
    const { items } = await listDeployments(harness.store.db, { stackId: (await stackOf(harness, KEY)).id })
    const again: RollbackTarget[] = [
      { what: 'environment', repositoryId: harness.repositoryId, environment: 'production' },
      { what: 'deployment', repositoryId: harness.repositoryId, deploymentId: items[0]!.id },
      await stack(),
    ]
    for (const target of again)
      await expect(back(target)).rejects.toMatchObject({
        code: 'ROLLBACK_OPEN',
        text: {
          why: expect.stringContaining(`!${open.number}`),
          next: expect.stringContaining(`trueup mr close ${open.number}`),
        },
      })
    expect(await opened()).toHaveLength(1)
    // Once it is closed, or for a newer change of the same stack, there is something to take back again.
    await closeMergeRequest(harness.engine.parts, open.id, 'system', 'another one')
    const second = await back(await stack())
    await deploy('three', { 'a/value': '3' })
    const third = await back(await stack())
    expect(await opened()).toMatchObject([{ id: third.id }, { id: second.id }])
  })

  it('of more than an open one takes back is another one', async () => {
    await begin()
    await deploy('two', { 'a/value': '2', 'b/value': '2' })
    const one = await back(await stack())
    const all = await back({ what: 'environment', repositoryId: harness.repositoryId, environment: 'production' })
    expect(await opened()).toMatchObject([{ id: all.id }, { id: one.id }])
  })

  it('asked for twice at the same moment is opened once', async () => {
    await begin()
    await deploy('two', { 'a/value': '2' })
    const target = await stack()
    const results = await Promise.allSettled([back(target), back(target)])
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
    expect(await opened()).toHaveLength(1)
  })

  describe('that happens by itself', () => {
    beforeEach(async () => {
      const rules = { onFailure: 'rollback', approvals: { required: 1, rollback: 'one' } }
      await begin(configOf({ a: {}, b: {} }, environments(rules)))
    })

    it('is named to a person who wants the same', async () => {
      world.failing.add(KEY)
      await deploy('two', { 'a/value': '2' })
      const [automatic] = await opened()
      expect(automatic).toMatchObject({ description: expect.stringContaining('told to fail') })
      await expect(back(await stack())).rejects.toMatchObject({
        code: 'ROLLBACK_OPEN',
        text: { why: expect.stringContaining(`!${automatic!.number}`) },
      })
      expect(await opened()).toHaveLength(1)
    })

    it('does not happen where a person was first', async () => {
      const mr = await propose(harness, 'two', { 'a/value': '2' })
      await world.work()
      await merge(harness, mr.id, { bypassReason: 'test' })
      const grant = (await leaseOne(harness))!
      await planOne(harness, grant, world.script)
      world.failing.add(KEY)
      const applied = await applyOne(harness, grant, world.script)
      const open = await back(await stack())
      await finishOne(harness, grant, applied)
      await harness.settle()
      expect(await stackOf(harness, KEY)).toMatchObject({ status: 'failed' })
      expect(await opened()).toMatchObject([{ id: open.id }])
      expect(await audited(harness, 'rollback.impossible')).toEqual([])
    })
  })

  it('that happens by itself and has nowhere to go says so in the audit', async () => {
    const config = configOf({ a: {} }, { environments: { lab: { onFailure: 'rollback' } } })
    world.failing.add('lab/a')
    await harness.push('main', { 'trueup.yaml': config, ...files })
    await world.work()
    expect(await audited(harness, 'rollback.impossible')).toMatchObject([
      { data: { why: expect.stringContaining('no earlier') } },
    ])
    expect(await stackOf(harness, 'lab/a')).toMatchObject({ status: 'failed' })
  })
})
