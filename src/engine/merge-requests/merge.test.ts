import type { Forge } from '../../forges/forge.ts'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { TrueupError } from '../../lib/errors/error.ts'
import { patchMergeRequest } from '../../store/changes/merge-requests.ts'
import { nextTaskAt } from '../../store/runs/tasks.ts'
import { approve, audited, configOf, merge, mrOf, propose, runsOf, unmet } from '../testing/flows.ts'
import { useWorld } from '../testing/use-world.ts'
import { mergeRequested } from './merge.ts'

describe('a merge by compare-and-swap', () => {
  const { harness, world } = useWorld({
    files: { 'trueup.yaml': configOf({ a: {}, b: {} }), 'a/value': '1', 'b/value': '1' },
  })

  const ready = async (branch: string, path: string) => {
    const mr = await propose(harness, branch, { [path]: '2' })
    await world.work()
    await approve(harness, mr.id)
    return await mrOf(harness, mr.id)
  }
  const how = (mr: { id: string; headOid: string; targetOid: string }) => ({
    mrId: mr.id,
    headOid: mr.headOid,
    targetOid: mr.targetOid,
    method: 'merge' as const,
    actorId: harness.users.reviewer.id,
    bypassReason: null,
    stillAsJudged: async () => true,
  })
  const main = () => harness.git.resolve('refs/heads/main')

  it('lets one of two at the same time win, and tells the other to look again', async () => {
    const [one, two] = [await ready('one', 'a/value'), await ready('two', 'b/value')]
    const results = await Promise.allSettled([
      harness.forge.merging.merge(how(one)),
      harness.forge.merging.merge(how(two)),
    ])
    const lost = results.filter((result) => result.status === 'rejected')
    expect(lost).toHaveLength(1)
    expect(lost[0]!.reason).toMatchObject({ code: 'MR_MOVED', retryable: true })
    await world.work()
    const open = (await Promise.all([mrOf(harness, one.id), mrOf(harness, two.id)])).find((mr) => mr.state === 'open')!
    expect(open).toMatchObject({ mergeOid: null, mergedById: null })
    // Its plan is of another stack, so its approval still holds.
    await merge(harness, open.id)
    await world.work()
    expect(world.applied.sort()).toEqual(['production/a=2', 'production/b=2'])
  })

  it('refuses heads other than those that were judged', async () => {
    const mr = await ready('one', 'a/value')
    await harness.push('one', { 'a/value': '3' })
    await expect(harness.forge.merging.merge(how(mr))).rejects.toMatchObject({ code: 'MR_MOVED' })
  })

  it('does not happen when an approval is taken back while it begins', async () => {
    const mr = await ready('one', 'a/value')
    const { engine, forge } = harness
    const late: Forge = {
      ...forge,
      merging: {
        ...forge.merging,
        async merge(how) {
          await forge.reviews.withdraw(mr.id, harness.users.reviewer.id)
          return await forge.merging.merge(how)
        },
      },
    }
    const parts = { ...engine.parts, forges: { ...engine.parts.forges, of: async () => late } }
    const before = await main()
    const wish = { mrId: mr.id, actorId: harness.users.reviewer.id, squash: false }
    await expect(mergeRequested(parts, wish)).rejects.toMatchObject({ code: 'MR_MOVED' })
    expect(await mrOf(harness, mr.id)).toMatchObject({ state: 'open' })
    expect(await main()).toBe(before)
  })

  it('of one MR by two people happens once', async () => {
    const mr = await ready('one', 'a/value')
    const results = await Promise.allSettled([
      harness.forge.merging.merge(how(mr)),
      harness.forge.merging.merge(how(mr)),
    ])
    expect(results.map((result) => result.status).sort()).toEqual(['fulfilled', 'rejected'])
    await world.work()
    expect(world.applied).toEqual(['production/a=2'])
  })

  /** What step 1 leaves when the process dies right after it. */
  const begin = async (mr: Awaited<ReturnType<typeof ready>>): Promise<string> => {
    const merged = await harness.git.mergeTree(mr.targetOid, mr.headOid)
    if (!merged.clean) throw new Error('conflict')
    const mergeOid = await harness.git.commitTree({
      tree: merged.tree,
      parents: [mr.targetOid, mr.headOid],
      message: 'Merge\n',
      author: { name: 'reviewer', email: 'reviewer@example.test', at: harness.clock.now() },
    })
    const { id: mergedById } = harness.users.reviewer
    await harness.store.transaction((tx) =>
      patchMergeRequest(tx, mr.id, { state: 'merging', mergeOid, mergedById, bypassReason: null }),
    )
    return mergeOid
  }

  it('is undone at the next start when it was killed before the branch moved', async () => {
    const mr = await ready('one', 'a/value')
    await begin(mr)
    await harness.restart()
    await world.work()
    expect(await mrOf(harness, mr.id)).toMatchObject({ state: 'open', mergeOid: null, mergedById: null })
    expect(await main()).toBe(mr.targetOid)
    expect(await audited(harness, 'mr.merge_undone')).toHaveLength(1)
    expect(await unmet(harness, mr.id)).toEqual([])
    expect(world.applied).toEqual([])
    await merge(harness, mr.id)
  })

  it('is finished at the next start when it was killed after the branch moved, and deployed once', async () => {
    const mr = await ready('one', 'a/value')
    const mergeOid = await begin(mr)
    await harness.git.updateRef('refs/heads/main', mergeOid, mr.targetOid)
    await harness.restart()
    await world.work()
    expect(await mrOf(harness, mr.id)).toMatchObject({ state: 'merged', mergeOid, mergeSequence: expect.any(Number) })
    expect(world.applied).toEqual(['production/a=2'])
    await harness.restart()
    await world.work()
    expect((await runsOf(harness, { kind: 'deploy', stack: 'production/a' })).map((run) => run.mrId)).toEqual([
      mr.id,
      null,
    ])
  })

  /** The git child is down for these calls, whatever it had done before it fell. */
  const gitDown = (times: number, updateRef: (typeof harness.git)['updateRef']) => {
    const git = harness.git
    const resolve = git.resolve.bind(git)
    const down = () => new TrueupError('UNAVAILABLE', { doing: 'asking git', why: 'the git process ended' })
    let calls = 0
    git.updateRef = async (...change) => {
      await updateRef(...change)
      git.resolve = async (...wanted) => {
        calls += 1
        if (calls <= times) throw down()
        return await resolve(...wanted)
      }
      throw down()
    }
    return () => calls
  }
  const wake = async (): Promise<void> => {
    harness.clock.advance(60_000)
    await harness.settle()
  }

  const stateAfterAWhile = async (mr: { id: string }) => {
    await wake()
    return (await mrOf(harness, mr.id)).state
  }

  it.each([1, 4])('is undone by itself once git is back after %i failed calls', async (times) => {
    const mr = await ready('one', 'a/value')
    const updateRef = harness.git.updateRef.bind(harness.git)
    const calls = gitDown(times, async () => true)
    await expect(harness.forge.merging.merge(how(mr))).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    expect(await mrOf(harness, mr.id)).toMatchObject({ state: 'merging' })
    await expect.poll(() => stateAfterAWhile(mr), { timeout: 180_000 }).toBe('open')
    expect(calls()).toBeGreaterThan(times)
    expect(await mrOf(harness, mr.id)).toMatchObject({ mergeOid: null, mergedById: null })
    expect(await main()).toBe(mr.targetOid)
    harness.git.updateRef = updateRef
    await merge(harness, mr.id)
    await world.work()
    expect(world.applied).toEqual(['production/a=2'])
  })

  it('is finished by itself once git is back, where the branch had moved', async () => {
    const mr = await ready('one', 'a/value')
    const updateRef = harness.git.updateRef.bind(harness.git)
    const calls = gitDown(2, updateRef)
    await expect(harness.forge.merging.merge(how(mr))).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    expect(await mrOf(harness, mr.id)).toMatchObject({ state: 'merging' })
    await expect.poll(() => stateAfterAWhile(mr), { timeout: 180_000 }).toBe('merged')
    expect(calls()).toBeGreaterThan(2)
    await world.work()
    expect(await mrOf(harness, mr.id)).toMatchObject({ state: 'merged', mergeSequence: expect.any(Number) })
    expect(world.applied).toEqual(['production/a=2'])
  })

  it('that is still under way is not undone, however long git takes', async () => {
    const mr = await ready('one', 'a/value')
    const git = harness.git
    const updateRef = git.updateRef.bind(git)
    git.updateRef = async (...change) => {
      harness.clock.advance(60_000)
      const settled = harness.settle()
      // All follow-up work is taken, the settling of this merge too; it has time for what it should not do.
      await expect.poll(() => nextTaskAt(harness.store.db)).toBeNull()
      await Promise.race([settled, sleep(200)])
      expect(await mrOf(harness, mr.id)).toMatchObject({ state: 'merging' })
      return await updateRef(...change)
    }
    expect(await merge(harness, mr.id)).toMatchObject({ state: 'merged' })
    git.updateRef = updateRef
    expect(await audited(harness, 'mr.merge_undone')).toEqual([])
  })

  it('is recorded by whoever sees the branch move first, so that its approvals count', async () => {
    const mr = await ready('one', 'a/value')
    const mergeOid = await begin(mr)
    await harness.git.updateRef('refs/heads/main', mergeOid, mr.targetOid)
    // A push elsewhere makes the engine look at all branches before step 3.
    await harness.push('unrelated', { 'README.md': 'x' })
    await world.work()
    expect(await mrOf(harness, mr.id)).toMatchObject({ state: 'merged' })
    expect(world.applied).toEqual(['production/a=2'])
  })
})
