import { beforeEach, describe, expect, it } from 'vitest'
import { listMergeRequests } from '../../store/changes/merge-requests.ts'
import { approve, merge, mrOf, runsOf, stackOf } from '../testing/flows.ts'
import { KEY, useDrift } from '../testing/drifts.ts'
import { codifyNow } from './actions.ts'

describe('drift', () => {
  const { harness, world, begin, wish, check, records } = useDrift()

  describe('that is proposed', () => {
    const files = { driver: 'files', with: { target: '/srv/a' } }
    beforeEach(async () => {
      await begin({ mode: 'propose' }, files)
      world.script.patches = () => [
        { path: 'a/value', content: Buffer.from(world.things.get(KEY) ?? '').toString('base64') },
        { path: '../etc/passwd', content: 'eA==' },
        { path: 'trueup.yaml', content: null },
      ]
    })
    const codifyMrs = async () =>
      (await listMergeRequests(harness.store.db, { repositoryId: harness.repositoryId })).items.filter(
        (mr) => mr.origin === 'codify',
      )

    it('becomes one MR of the stack’s own files, kept up to date, and closed when the drift is gone', async () => {
      world.things.set(KEY, 'x')
      await check()
      const [mr] = await codifyMrs()
      expect(mr).toMatchObject({ state: 'open', title: `Codify drift of ${KEY}` })
      expect((await harness.git.readFile(mr!.headOid, 'a/value'))?.toString()).toBe('x')
      expect(await harness.git.changedPaths(mr!.targetOid, mr!.headOid)).toEqual(['a/value'])
      await check()
      expect(await mrOf(harness, mr!.id)).toMatchObject({ headOid: mr!.headOid })
      world.things.set(KEY, 'y')
      await check()
      const updated = await mrOf(harness, mr!.id)
      expect((await harness.git.readFile(updated.headOid, 'a/value'))?.toString()).toBe('y')
      world.things.set(KEY, '1')
      await check()
      expect(await codifyMrs()).toMatchObject([{ id: mr!.id, state: 'closed' }])
    })

    it('stays closed for who has declined it, until the drift is another or somebody asks', async () => {
      world.things.set(KEY, 'x')
      await check()
      const [first] = await codifyMrs()
      await harness.forge.changes.close(first!.id, 'user:reviewer', 'no')
      await check()
      expect(await codifyMrs()).toHaveLength(1)
      await codifyNow(harness.engine.parts, await wish())
      await world.work()
      const [asked] = await codifyMrs()
      expect(asked).toMatchObject({ state: 'open' })
      await harness.forge.changes.close(asked!.id, 'user:reviewer', 'no')
      await check()
      expect(await codifyMrs()).toHaveLength(2)
      world.things.set(KEY, 'y')
      await check()
      expect(await codifyMrs()).toMatchObject([{ state: 'open' }, { state: 'closed' }, { state: 'closed' }])
      world.things.set(KEY, '1')
      await check()
      harness.clock.advance(1_000) // what comes back does so later than it was declined
      world.things.set(KEY, 'y')
      await check()
      expect(await codifyMrs()).toMatchObject([{ state: 'open' }, {}, {}, {}])
    })

    it('makes Git follow when it is merged', async () => {
      world.things.set(KEY, 'x')
      await check()
      const [mr] = await codifyMrs()
      await approve(harness, mr!.id)
      await merge(harness, mr!.id)
      await world.work()
      expect(world.applied).toEqual([])
      expect(await records()).toMatchObject([{ state: 'codified' }])
      expect(await stackOf(harness, KEY)).toMatchObject({ status: 'in_sync' })
    })

    it('does not overwrite what Git has gained meanwhile', async () => {
      world.failing.add(KEY)
      world.things.set(KEY, 'x')
      await harness.push('main', { 'a/other': 'new in Git' })
      const [waiting] = await runsOf(harness, { kind: 'deploy', state: 'queued' })
      expect(waiting).toBeDefined()
      await world.work()
      await check()
      const [mr] = await codifyMrs()
      expect((await harness.git.readFile(mr!.mergeTreeOid!, 'a/other'))?.toString()).toBe('new in Git')
      expect((await harness.git.readFile(mr!.mergeTreeOid!, 'a/value'))?.toString()).toBe('x')
    })
  })

  it('is codified on request, where the driver can', async () => {
    await begin({ mode: 'observe' }, { driver: 'files', with: { target: '/srv/a' } })
    world.script.patches = () => [{ path: 'a/value', content: Buffer.from('x').toString('base64') }]
    world.things.set(KEY, 'x')
    await codifyNow(harness.engine.parts, await wish())
    await world.work()
    const { items } = await listMergeRequests(harness.store.db, { repositoryId: harness.repositoryId })
    expect(items).toMatchObject([{ origin: 'codify', state: 'open' }])
    const b = { stackId: (await stackOf(harness, 'production/b')).id, actorId: harness.users.second.id }
    await expect(codifyNow(harness.engine.parts, b)).rejects.toMatchObject({ code: 'CONFLICT' })
  })
})
