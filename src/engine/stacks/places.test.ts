import { describe, expect, it } from 'vitest'
import { removeOrphan } from '../deploy/remove-orphan.ts'
import { createRepository } from '../repositories.ts'
import { setMember } from '../../store/people/members.ts'
import {
  approve,
  approveWaiting,
  bootstrap,
  judged,
  land,
  merge,
  propose,
  runsOf,
  stackOf,
  unmet,
} from '../testing/flows.ts'
import type { Place } from '../../domain/plans/place.ts'
import type { EngineHarness } from '../testing/harness.ts'
import { createWorld, type World } from '../testing/world.ts'
import { useWorld } from '../testing/use-world.ts'

type Stacks = { [name: string]: { target: string; environment?: string; [key: string]: unknown } }

/** Stacks of host files, each of one environment. */
const files = (stacks: Stacks): string =>
  JSON.stringify({
    version: 1,
    environments: { staging: {}, production: { tier: 'production', approvals: { required: 1 } } },
    stacks: Object.entries(stacks).map(([name, { target, environment = 'staging', ...more }]) => {
      const settings = { driver: 'files', environments: [environment], with: { target } }
      return { name, path: 'web', ...settings, ...more }
    }),
  })

describe('one place, one stack', () => {
  const { harness, world } = useWorld()

  const begin = (stacks: Stacks) => bootstrap(harness, world, { 'trueup.yaml': files(stacks), 'web/value': '1' })
  const change = async (branch: string, stacks: Stacks) => {
    const mr = await propose(harness, branch, { 'trueup.yaml': files(stacks) })
    await world.work()
    return mr
  }
  /** The same engine and worker, seen from a second repository with the same people. */
  const elsewhere = async (name: string): Promise<EngineHarness> => {
    const { engine, store, users } = harness
    const wish = { name, defaultBranch: 'main', actorId: users.author.id }
    const { id } = await createRepository(engine.parts, wish)
    for (const { id: userId } of [users.reviewer, users.second])
      await store.transaction((tx) => setMember(tx, { repositoryId: id, userId, role: 'maintainer' }))
    return harness.at(id)
  }

  it('a merge request that gives a place to a second stack is blocked with both names', async () => {
    await begin({ live: { target: '/srv/web', environment: 'production' } })
    for (const target of ['/srv/web', '/srv/web/', '/srv//./web', '/srv/web/inner', '/srv']) {
      const live = { target: '/srv/web', environment: 'production' }
      const mr = await change(`to${target.replaceAll(/\W/g, '-')}x`, { live, test: { target } })
      expect(await unmet(harness, mr.id), target).toContain('config')
      const { outcome } = await judged(harness, mr.id)
      const config = outcome.requirements.find(({ name }) => name === 'config')
      expect(config?.message, target).toMatch(/staging\/test.*production\/live|production\/live.*staging\/test/)
      await expect(merge(harness, mr.id)).rejects.toMatchObject({ code: 'MR_BLOCKED' })
    }
    const apart = await change('apart', {
      live: { target: '/srv/web', environment: 'production' },
      test: { target: '/srv/website' },
    })
    expect(await unmet(harness, apart.id)).not.toContain('config')
  })

  it('a second repository is refused at the gate, and at its deployment where it went past', async () => {
    await begin({ live: { target: '/srv/web', environment: 'production' } })
    const other = await elsewhere('blog')
    await bootstrap(other, createWorld(other), { 'trueup.yaml': files({}), 'web/value': '2' })
    const mr = await propose(other, 'take', { 'trueup.yaml': files({ mine: { target: '/srv/web/' } }) })
    await createWorld(other).work()
    expect(await unmet(other, mr.id)).toEqual(['config'])
    const { outcome } = await judged(other, mr.id)
    const config = outcome.requirements.find(({ name }) => name === 'config')
    expect(config?.message).toContain('production/live of repository shop')
    // Past the gates, as a first push or a race of two merges would.
    await other.push('main', { 'trueup.yaml': files({ mine: { target: '/srv/web' } }) })
    const theirs = createWorld(other)
    await theirs.work()
    const [run] = await runsOf(other, { kind: 'deploy' })
    expect(run).toMatchObject({ state: 'failed', reason: 'place_taken' })
    expect(run?.message).toContain('staging/mine')
    expect(run?.message).toContain('production/live of repository shop')
    expect(theirs.applied).toEqual([])
  })

  it('a stack that never came to write there keeps nobody away, and does not write there later', async () => {
    const wanted = { mine: { target: '/srv/web', environment: 'production' } }
    await harness.push('main', { 'trueup.yaml': files(wanted), 'web/value': '1' })
    await world.work()
    const [waiting] = await runsOf(harness, { state: 'awaiting_approval' })
    const other = await elsewhere('blog')
    const theirs = createWorld(other)
    await bootstrap(other, theirs, { 'trueup.yaml': files({}), 'web/value': '2' })
    await land(other, theirs, 'take', { 'trueup.yaml': files({ theirs: { target: '/srv/web' } }) })
    await theirs.work()
    expect(await stackOf(other, 'staging/theirs')).toMatchObject({ status: 'in_sync' })
    await approveWaiting(harness, waiting!)
    await world.work()
    expect(world.applied).toEqual([])
    expect((await runsOf(harness, { kind: 'deploy' }))[0]).toMatchObject({ state: 'failed', reason: 'place_taken' })
  })

  it('a stack that moves gives up its old place, one that was removed its place', async () => {
    await begin({ live: { target: '/srv/web' } })
    const other = await elsewhere('blog')
    const theirs = createWorld(other)
    const take = async (target: string) => {
      await other.push('main', { 'trueup.yaml': files({ mine: { target } }), 'web/value': target })
      await theirs.work()
      return (await runsOf(other, { kind: 'deploy' }))[0]
    }
    expect(await take('/srv/web')).toMatchObject({ state: 'failed', reason: 'place_taken' })
    await land(harness, world, 'move', { 'trueup.yaml': files({ live: { target: '/srv/new' } }), 'web/value': '2' })
    await world.work()
    const freed = await take('/srv/web/')
    expect([freed?.state, freed?.message]).toEqual(['succeeded', null])
    expect(await take('/srv/new')).toMatchObject({ state: 'failed', reason: 'place_taken' })
    await land(harness, world, 'remove', { 'trueup.yaml': files({}) })
    await world.work()
    expect(await take('/srv/new/')).toMatchObject({ state: 'failed', reason: 'place_taken' })
    const { id: stackId } = await stackOf(harness, 'staging/live')
    await removeOrphan(harness.engine.parts, {
      stackId,
      how: 'forget',
      reason: 'theirs now',
      actorId: harness.users.author.id,
    })
    expect(await take('/srv//new')).toMatchObject({ state: 'succeeded' })
  })

  it('a stack that is renamed takes its place along, and the old name destroys nothing of it', async () => {
    await begin({ old: { target: '/srv/web', onRemove: 'destroy' } })
    const mr = await change('rename', { new: { target: '/srv/web' } })
    await approve(harness, mr.id)
    await merge(harness, mr.id)
    await world.work()
    expect(world.applied.at(-1)).toBe('staging/new=1')
    const [destroyed] = await runsOf(harness, { kind: 'destroy' })
    expect(destroyed).toMatchObject({ state: 'failed', reason: 'place_taken' })
    expect(world.things.get('staging/new')).toBe('1')
  })

  describe('as plans find them', () => {
    /** `/link` leads to `/srv` on the one host of all workers. */
    const follow = (worlds: World[], more: Partial<Place> = { except: [] }) => {
      for (const { script } of worlds) {
        const plan = script.plan
        script.plan = async (grant) => {
          const path = (grant.driverConfig['target'] as string).replace(/^\/link/, '/srv')
          return { ...(await plan(grant)), places: [{ address: `host:web1~1:${path}`, ...more }] }
        }
      }
    }
    const configOf = async (its: EngineHarness, mrId: string) => {
      const { outcome } = await judged(its, mrId)
      return outcome.requirements.find(({ name }) => name === 'config')
    }

    it('a second name for one place is refused before the merge, within a repository and across two', async () => {
      follow([world])
      const live = { target: '/srv/web', environment: 'production' }
      await begin({ live })
      const near = await change('near', { live, test: { target: '/link/web' } })
      expect(await unmet(harness, near.id)).toContain('config')
      const told = (await configOf(harness, near.id))?.message
      expect(told).toContain('giving /srv/web on host web1 to stack staging/test: production/live manages it as well')
      await expect(merge(harness, near.id)).rejects.toMatchObject({ code: 'MR_BLOCKED' })
      const inner = await change('inner', { live, test: { target: '/link/web/inner' } })
      expect((await configOf(harness, inner.id))?.satisfied).toBe(false)
      const both = await change('both', { live, a: { target: '/link/new' }, b: { target: '/srv/new' } })
      expect((await configOf(harness, both.id))?.message).toMatch(/staging\/a.*staging\/b|staging\/b.*staging\/a/)
      const moved = await change('moved', {
        live: { ...live, target: '/link/other' },
        test: { target: '/link/web' },
      })
      expect(await unmet(harness, moved.id)).not.toContain('config')

      const other = await elsewhere('blog')
      const theirs = createWorld(other)
      follow([theirs])
      await bootstrap(other, theirs, { 'trueup.yaml': files({}), 'web/value': '2' })
      const far = await propose(other, 'far', { 'trueup.yaml': files({ mine: { target: '/link/web' } }) })
      await theirs.work()
      expect((await configOf(other, far.id))?.message).toContain('production/live of repository shop')
      // Past the gate, as a first push would.
      await other.push('main', { 'trueup.yaml': files({ mine: { target: '/link/web' } }) })
      await theirs.work()
      const [run] = await runsOf(other, { kind: 'deploy' })
      expect(run).toMatchObject({ state: 'failed', reason: 'place_taken' })
      expect(run?.message).toContain('production/live of repository shop')
      expect(theirs.applied).toEqual([])
    })

    it('a rename, and the same place under another name, stay the own affair of a stack', async () => {
      follow([world])
      await begin({ old: { target: '/srv/web' } })
      await land(harness, world, 'name', { 'trueup.yaml': files({ old: { target: '/link/web' } }), 'web/value': '2' })
      await world.work()
      expect(await stackOf(harness, 'staging/old')).toMatchObject({ status: 'in_sync' })
      await land(harness, world, 'rename', { 'trueup.yaml': files({ new: { target: '/srv/web' } }) })
      await world.work()
      expect(world.applied.at(-1)).toBe('staging/new=2')
    })

    it('a file of a host may be edited by two stacks of one environment, and by none of another', async () => {
      follow([world], { shared: true })
      await begin({ a: { target: '/srv/motd' } })
      await land(harness, world, 'b', {
        'trueup.yaml': files({ a: { target: '/srv/motd' }, b: { target: '/link/motd' } }),
      })
      await world.work()
      expect(world.applied).toEqual(['staging/b=1'])
      const gone = await change('c', {
        b: { target: '/link/motd' },
        c: { target: '/srv/motd', environment: 'production' },
      })
      expect((await configOf(harness, gone.id))?.message).toMatch(/production\/c.*staging\/b|staging\/b.*production\/c/)
    })
  })
})
