import { expect } from 'vitest'
import type { MergeMethod } from '../../../src/forges/capabilities.ts'
import { beforeMerge } from '../../../src/engine/revisions/before-merge.ts'
import { patchMergeRequest } from '../../../src/store/changes/merge-requests.ts'
import type { Bodies, Body, Lab } from '../lab.ts'

type Names =
  | 'conflict'
  | 'moved-head'
  | 'moved-target'
  | 'not-as-judged'
  | 'merge-commit'
  | 'merge-squash'
  | 'merge-rebase'
  | 'merge-fast-forward'
  | 'merge-order'
  | 'begun-merge'

/** How a merge comes about, or does not, and how it is recognised. */
export const mergeBodies = (lab: Lab): Bodies<Names> => {
  const refused = async (how: ReturnType<Lab['how']>, code: string): Promise<unknown> => {
    const before = await lab.world.tip('main')
    const thrown: unknown = await lab.world.forge.merging.merge(how).catch((error: unknown) => error)
    expect(thrown).toMatchObject({ code })
    expect(await lab.world.tip('main')).toBe(before)
    return thrown
  }
  const by =
    (method: MergeMethod): Body =>
    async (cannot) => {
      const { world } = lab
      let mr = await lab.propose(`by-${method}`)
      if (cannot !== null) {
        expect(await refused(lab.how(mr, method), 'FORGE_CANNOT')).toMatchObject({ text: { why: cannot } })
        expect(await lab.again(mr)).toMatchObject({ state: 'open', mergeOid: null })
        return
      }
      const { users, git, repositoryId } = world.harness
      // Of two commits, which a rebase keeps.
      const first = mr.headOid
      await world.push(`by-${method}`, { [`more-by-${method}`]: 'new\n' })
      mr = await lab.again(mr)
      await world.allowMethod?.(method)
      const merged = await lab.merge(mr, method)
      await world.allowMethod?.(null)
      const tip = (await world.tip('main'))!
      expect(merged).toMatchObject({
        state: 'merged',
        mergeOid: tip,
        headOid: mr.headOid,
        mergedById: users.reviewer.id,
      })
      expect(await world.forge.merging.mergedWith(repositoryId, tip)).toMatchObject({ id: mr.id })
      expect(await world.forge.merging.mergedWith(repositoryId, mr.targetOid)).not.toMatchObject({ id: mr.id })
      const commit = await git.commit(tip)
      if (method === 'merge') expect(commit.parents).toEqual([mr.targetOid, mr.headOid])
      // Alone, or merged as one commit (GitLab).
      if (method === 'squash')
        expect([commit.parents[0], commit.parents.includes(mr.headOid)]).toEqual([mr.targetOid, false])
      if (method === 'fast-forward') expect(tip).toBe(mr.headOid)
      if (method === 'rebase' || method === 'fast-forward') {
        // The first of them is nobody's merge by itself.
        const [before] = commit.parents
        expect((await git.commit(before!)).parents).toEqual([mr.targetOid])
        expect(await world.forge.merging.mergedWith(repositoryId, before!)).toBeNull()
        if (method === 'fast-forward') expect(before).toBe(first)
        expect(await beforeMerge(world.harness.engine.parts, merged)).toBe(mr.targetOid)
      }
      expect((await git.readFile(tip, `of-by-${method}`))?.toString()).toBe('new\n')
    }
  return {
    conflict: async () => {
      const first = await lab.propose('agreeing', { files: { 'in-conflict': 'one\n' } })
      const other = await lab.propose('conflicting', { files: { 'in-conflict': 'two\n' } })
      await lab.merge(first)
      const now = await lab.again(other)
      expect(await refused(lab.how(now), 'MR_CONFLICT')).toMatchObject({
        text: { why: expect.stringContaining('in-conflict') },
      })
      expect(await lab.again(other)).toMatchObject({ state: 'open', mergeOid: null, conflicts: ['in-conflict'] })
    },
    'moved-head': async () => {
      const mr = await lab.propose('moved')
      await lab.world.push('moved', { moved: '2\n' })
      await refused(lab.how(mr), 'MR_MOVED')
      await lab.world.look()
      await refused(lab.how(mr), 'MR_MOVED')
      expect(await lab.again(mr)).toMatchObject({ state: 'open', mergeOid: null })
    },
    'moved-target': async () => {
      const [mr, other] = [await lab.propose('behind'), await lab.propose('ahead')]
      await lab.merge(other)
      await refused(lab.how(mr), 'MR_MOVED')
      expect(await lab.merge(mr)).toMatchObject({ state: 'merged' })
    },
    'not-as-judged': async () => {
      const mr = await lab.propose('misjudged')
      await refused({ ...lab.how(mr), stillAsJudged: async () => false }, 'MR_MOVED')
      expect(await lab.again(mr)).toMatchObject({ state: 'open', mergeOid: null })
    },
    'merge-commit': by('merge'),
    'merge-squash': by('squash'),
    'merge-rebase': by('rebase'),
    'merge-fast-forward': by('fast-forward'),
    'merge-order': async () => {
      const [one, two] = [await lab.propose('second-merged'), await lab.propose('first-merged')]
      const first = await lab.merge(two)
      const second = await lab.merge(one)
      expect(second.mergeSequence).toBe(first.mergeSequence! + 1)
      await expect(lab.world.forge.merging.merge(lab.how(one))).rejects.toMatchObject({ code: 'CONFLICT' })
    },
    'begun-merge': async () => {
      const { world } = lab
      const { store, repositoryId } = world.harness
      const lost = await lab.propose('broken-off')
      await store.transaction((tx) => patchMergeRequest(tx, lost.id, { state: 'merging', mergeOid: lost.headOid }))
      await world.forge.merging.settle(lost.id)
      expect(await lab.again(lost)).toMatchObject({ state: 'open', mergeOid: null })
      const mr = await lab.propose('unheard')
      await world.mergeUnheard(mr, 'merge')
      await world.forge.merging.settle(mr.id)
      const tip = (await world.tip('main'))!
      expect(await lab.again(mr)).toMatchObject({ state: 'merged', mergeOid: tip })
      expect(await world.forge.merging.mergedWith(repositoryId, tip)).toMatchObject({ id: mr.id })
      // Settled a second time it stays what it is.
      await world.forge.merging.settle(mr.id)
      expect(await lab.again(mr)).toMatchObject({ state: 'merged' })
    },
  }
}
