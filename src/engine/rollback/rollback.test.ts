import { beforeEach, describe, expect, it } from 'vitest'
import { listDeployments } from '../../store/stacks/deployments.ts'
import { listQuarantine } from '../../store/stacks/quarantine.ts'
import { checkNow } from '../drift/actions.ts'
import { retryRun } from '../runs/retry.ts'
import { setVariable } from '../stacks/change-variable.ts'
import {
  approve,
  approveWaiting,
  configOf,
  land,
  merge,
  mrOf,
  propose,
  runsOf,
  stackOf,
  unmet,
} from '../testing/flows.ts'
import { KEY, environments, useRollbacks } from '../testing/rollbacks.ts'
import { liftQuarantine } from '../rolled-back/quarantine.ts'
import type { RollbackTarget } from './rollback.ts'

const lane = (rollback: string) => environments({ approvals: { required: 2, rollback } })

describe('a rollback', () => {
  const { harness, world, begin, deploy, back, stack } = useRollbacks()

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
})
