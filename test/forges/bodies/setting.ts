import { expect } from 'vitest'
import { getRepository } from '../../../src/store/changes/repositories.ts'
import type { Bodies, Body, Lab } from '../lab.ts'

type Names = 'fork' | 'renamed' | 'lost-permission'

/** What changes around merge requests. */
export const settingBodies = (lab: Lab): Bodies<Names> => {
  const unlessCannot =
    (body: () => Promise<void>): Body =>
    async (cannot) =>
      cannot === null ? await body() : expect(cannot).toMatch(/\w+ \w+/)
  return {
    fork: unlessCannot(async () => expect.unreachable('no forge plans merge requests of forks yet')),
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
