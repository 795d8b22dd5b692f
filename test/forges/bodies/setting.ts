import { expect } from 'vitest'
import { findMergeRequestByNumber } from '../../../src/store/changes/merge-requests.ts'
import { getRepository } from '../../../src/store/changes/repositories.ts'
import { listUsers } from '../../../src/store/people/users.ts'
import type { Bodies, Body, Lab } from '../lab.ts'

type Names = 'fork' | 'renamed' | 'lost-permission'

/** What changes around merge requests. */
export const settingBodies = (lab: Lab): Bodies<Names> => {
  const unlessCannot =
    (body: () => Promise<void>): Body =>
    async (cannot) =>
      cannot === null ? await body() : expect(cannot).toMatch(/\w+ \w+/)
  return {
    fork: unlessCannot(async () => {
      const { world } = lab
      const { store, repositoryId, git } = world.harness
      const { outsider } = world.elsewhere!
      const known = (number: number) => findMergeRequestByNumber(store.db, repositoryId, number)
      const people = async () => (await listUsers(store.db, { limit: 500 })).items.length
      const before = await people()
      const head = await outsider.push('from-outside', { 'from-outside': '1' })
      const number = await outsider.open('from-outside', 'Look at this')
      await world.look()
      await outsider.comment(number, '/trueup plan')
      await world.look()
      // Nothing of it is here: no merge request, no commit, no account.
      const kept = await git.resolve(`refs/heads/trueup-forks/${number}`)
      expect([await known(number), kept, await people()]).toEqual([undefined, null, before])

      const vouch = async () => {
        await world.moment()
        await world.as('reviewer').comment(number, '/trueup plan')
        await world.look()
        return (await known(number))!
      }
      const codes = (problems: readonly { code: string }[] | null) => (problems ?? []).map(({ code }) => code)
      const mr = await vouch()
      expect(mr).toMatchObject({ number, headOid: head, state: 'open', title: 'Look at this' })
      expect(codes(mr.problems)).not.toContain('FORK_HELD')

      // A new head asks again, also of who has vouched for the one before.
      const newer = await outsider.push('from-outside', { 'from-outside': '2' })
      const moved = await lab.again(mr)
      expect([moved.headOid, codes(moved.problems)]).toEqual([newer, ['FORK_HELD']])
      await outsider.comment(number, '/trueup plan')
      expect(codes((await lab.again(mr)).problems)).toEqual(['FORK_HELD'])
      // What was pushed after somebody has looked is not what they mean.
      await world.moment()
      await world.as('reviewer').comment(number, '/trueup plan')
      const newest = await outsider.push('from-outside', { 'from-outside': '3' })
      const overtaken = await lab.again(mr)
      expect([overtaken.headOid, codes(overtaken.problems)]).toEqual([newest, ['FORK_HELD']])
      expect(codes((await vouch()).problems)).not.toContain('FORK_HELD')
      expect(await lab.merge(mr)).toMatchObject({ state: 'merged', headOid: newest })
      expect((await git.readFile((await world.tip('main'))!, 'from-outside'))?.toString()).toBe('3')
    }),
    renamed: unlessCannot(async () => {
      const { world } = lab
      const { store, repositoryId } = world.harness
      const before = await getRepository(store.db, repositoryId)
      const mr = await lab.propose('before-renaming')
      await world.elsewhere!.rename(`renamed-${repositoryId.replace('_', '-')}`)
      const head = await world.push('before-renaming', { renamed: '2\n' })
      expect(await lab.again(mr)).toMatchObject({ id: mr.id, headOid: head, state: 'open' })
      expect(await getRepository(store.db, repositoryId)).toEqual(before)
      expect(await lab.merge(mr)).toMatchObject({ state: 'merged' })
    }),
    'lost-permission': unlessCannot(async () => {
      const { world } = lab
      const mr = await lab.propose('without-permission')
      await world.elsewhere!.allow(false)
      await world.look()
      expect(await world.elsewhere!.problem()).toMatch(/^FORGE_PERMISSION: .*write/)
      await expect(world.forge.merging.merge(lab.how(mr))).rejects.toMatchObject({
        code: expect.stringMatching(/^FORGE_/),
      })
      await world.elsewhere!.allow(true)
      expect(await lab.again(mr)).toMatchObject({ state: 'open', mergeOid: null })
      expect(await world.elsewhere!.problem()).toBeNull()
    }),
  }
}
