import { beforeEach, describe, expect, it } from 'vitest'
import { listMergeRequests } from '../../store/changes/merge-requests.ts'
import { audited, configOf, merge, propose, stackOf } from '../testing/flows.ts'
import { applyOne, finishOne, leaseOne, planOne } from '../testing/puppet.ts'
import { environments, FILES, KEY, useRollbacks } from '../testing/rollbacks.ts'

describe('a rollback', () => {
  const { harness, world, begin, deploy, back, opened, stack } = useRollbacks()

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
    await harness.push('main', { 'trueup.yaml': config, ...FILES })
    await world.work()
    expect(await audited(harness, 'rollback.impossible')).toMatchObject([
      { data: { why: expect.stringContaining('no earlier') } },
    ])
    expect(await stackOf(harness, 'lab/a')).toMatchObject({ status: 'failed' })
  })
})
