import { beforeEach, describe, expect, it } from 'vitest'
import { listMergeRequests, type MergeRequest } from '../../store/changes/merge-requests.ts'
import { listDeployments } from '../../store/stacks/deployments.ts'
import { listQuarantine } from '../../store/stacks/quarantine.ts'
import { createEstate, type Estate } from '../testing/estate.ts'
import { approve, configOf, judged, merge, mrOf, propose, stackOf } from '../testing/flows.ts'
import { useWorld } from '../testing/use-world.ts'
import { rollBack } from './rollback.ts'

const KEY = 'staging/a'

describe('a rollback of what was imported', () => {
  const { harness } = useWorld()
  let estate: Estate
  beforeEach(async () => {
    estate = createEstate(harness)
  })
  const there = () => [...estate.managed.keys()].sort()

  const rules = (more: object = {}) => configOf({ a: {} }, { environments: { staging: { tier: 'staging', ...more } } })
  const begin = async (config = rules()) => {
    await harness.push('main', { 'trueup.yaml': config, 'a/resources': 'base\n' })
    await estate.work()
  }
  const deploy = async (branch: string, resources: string): Promise<MergeRequest> => {
    const mr = await propose(harness, branch, { 'a/resources': resources })
    await estate.work()
    await merge(harness, mr.id)
    await estate.work()
    return await mrOf(harness, mr.id)
  }
  const openRollbacks = async () =>
    (await listMergeRequests(harness.store.db, { states: ['open'] })).items.filter(
      ({ origin }) => origin === 'rollback',
    )
  const standing = async () => await listQuarantine(harness.store.db, { stackId: (await stackOf(harness, KEY)).id })
  const back = async (target: Parameters<typeof rollBack>[1]['target']) => {
    const { parts } = harness.engine
    const mr = await rollBack(parts, { target, reason: 'it smells', actorId: harness.users.author.id })
    await harness.settle()
    return mr
  }
  const stack = async () => ({ what: 'stack' as const, stackId: (await stackOf(harness, KEY)).id })

  it('by itself never deletes it: it waits for a person, and says why', async () => {
    await begin(rules({ onFailure: 'rollback' }))
    estate.outside.set('web', { maker: null, value: '' })
    estate.failing.add('made')
    const bad = await deploy('two', 'base\nweb@\nmade\n')
    const [mr] = await openRollbacks()
    expect(mr).toBeDefined()
    expect(there()).toContain('web')
    const { outcome } = await judged(harness, mr!.id)
    expect(outcome.mergeable).toBe(false)
    expect(outcome.requirements.map(({ message }) => message)).toContainEqual(
      expect.stringContaining(`web was imported by !${bad.number}, not created`),
    )
    await approve(harness, mr!.id)
    await estate.work()
    expect(await mrOf(harness, mr!.id)).toMatchObject({ state: 'merged' })
    expect(there()).not.toContain('web')
  })

  it('takes what was moved away for no creation of the run that made another in its place', async () => {
    await begin()
    const bad = await deploy('two', 'base2<base\nbase\n')
    expect(there()).toEqual(['base', 'base2'])
    const mr = await back(await stack())
    await estate.work()
    const messages = (await judged(harness, mr.id)).outcome.requirements.map(({ message }) => message)
    expect(messages).toContainEqual(expect.stringContaining(`base2 was created by run`))
    expect(messages).toContainEqual(expect.stringContaining(`only moved here from base by !${bad.number}`))
    expect(await mrOf(harness, mr.id)).toMatchObject({ state: 'open' })
  })

  it('deletes without asking what the change had made, and what it half made', async () => {
    await begin(rules({ onFailure: 'rollback' }))
    estate.failing.add('broken')
    await deploy('two', 'base\nmade\nbroken\n')
    expect(await openRollbacks()).toEqual([])
    expect(there()).toEqual(['base'])
  })

  it('counts maxDestroys', async () => {
    await begin(rules({ drift: { maxDestroys: 1 } }))
    await deploy('two', 'base\none\ntwo\n')
    const mr = await back(await stack())
    await estate.work()
    const messages = (await judged(harness, mr.id)).outcome.requirements.map(({ message }) => message)
    expect(messages).toContainEqual(expect.stringMatching(/delete or replace 2 resources.*maxDestroys.* is 1/))
    expect(await mrOf(harness, mr.id)).toMatchObject({ state: 'open' })
  })

  it('closed unmerged lifts its quarantine, and puts it back when it is opened again', async () => {
    await begin()
    await deploy('two', 'base\nmade\n')
    const mr = await back({ ...(await stack()) })
    expect(await standing()).toMatchObject([{ mrId: mr.id, reason: 'it smells' }])
    expect(await stackOf(harness, KEY)).toMatchObject({
      status: 'quarantined',
      statusReason: expect.stringContaining(`in quarantine by !${mr.number}`),
    })
    await harness.forge.changes.close(mr.id, 'user:x', 'a false alarm')
    await harness.settle()
    expect(await standing()).toEqual([])
    expect(await stackOf(harness, KEY)).toMatchObject({ status: 'in_sync', statusReason: null })
    await harness.forge.changes.reopen(mr.id, 'user:x')
    await harness.settle()
    expect(await standing()).toMatchObject([{ mrId: mr.id }])
  })

  it('of a rollback brings its state back and quarantines none', async () => {
    await begin()
    await deploy('two', 'base\nmade\n')
    const first = await back(await stack())
    await estate.work()
    expect(await mrOf(harness, first.id)).toMatchObject({ state: 'merged' })
    const { items } = await listDeployments(harness.store.db, { mrId: first.id })
    await back({ what: 'deployment', repositoryId: harness.repositoryId, deploymentId: items[0]!.id })
    await estate.work()
    expect(there()).toEqual(['base', 'made'])
    expect(await standing()).toEqual([])
    expect(await stackOf(harness, KEY)).toMatchObject({ status: 'in_sync', statusReason: null })
  })
})
