import { describe, expect, it } from 'vitest'
import { listDeployments } from '../../store/stacks/deployments.ts'
import { listMergeRequests } from '../../store/changes/merge-requests.ts'
import { approve, configOf, mrOf, stackOf, unmet } from '../testing/flows.ts'
import { KEY, environments, useRollbacks } from '../testing/rollbacks.ts'

const lane = (rollback: string) => environments({ approvals: { required: 2, rollback } })

describe('the fast lane of a rollback', () => {
  const { harness, world, begin, deploy, back, stack } = useRollbacks()

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
})
