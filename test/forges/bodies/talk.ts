import { expect } from 'vitest'
import type { MergeRequest } from '../../../src/store/changes/merge-requests.ts'
import type { Bodies, Lab } from '../lab.ts'

type Names =
  | 'review'
  | 'approve'
  | 'approve-own'
  | 'withdraw'
  | 'request-changes'
  | 'comment'
  | 'comment-upsert'
  | 'command'
  | 'statuses'
  | 'deployments'

/** What people and Trueup say of a merge request. */
export const talkBodies = (lab: Lab): Bodies<Names> => {
  const standing = async (mr: MergeRequest): Promise<string[]> =>
    (await lab.reviews(mr)).filter(({ droppedAt }) => droppedAt === null).map(({ verdict }) => verdict)
  return {
    review: async () => {
      const mr = await lab.propose('reviewed')
      await lab.world.as('reviewer').review(mr.number, 'comment', 'Hm.')
      expect(await standing(mr)).toEqual(['comment'])
    },
    approve: async () => {
      const { users } = lab.world.harness
      const mr = await lab.propose('approved')
      await lab.world.as('reviewer').review(mr.number, 'approve', 'Good.')
      const approval = { verdict: 'approve', userId: users.reviewer.id, headOid: mr.headOid, droppedAt: null }
      expect(await lab.reviews(mr)).toMatchObject([approval])
      const head = await lab.world.push('approved', { approved: '2\n' })
      expect(await lab.again(mr)).toMatchObject({ headOid: head })
      // Still of the head that was looked at: whether it counts for another one is the gate's to say.
      expect((await lab.reviews(mr))[0]).toMatchObject({ headOid: mr.headOid })
      await lab.world.as('second').review(mr.number, 'approve', '')
      expect((await lab.reviews(mr)).at(-1)).toMatchObject({ userId: users.second.id, headOid: head })
    },
    'approve-own': async () => {
      const mr = await lab.propose('own')
      const own = lab.world.as('author').review(mr.number, 'approve', 'Mine.')
      await expect(own).rejects.toMatchObject({ code: 'FORBIDDEN' })
      expect(await standing(mr)).toEqual([])
    },
    withdraw: async () => {
      const mr = await lab.propose('withdrawn')
      await lab.world.as('reviewer').review(mr.number, 'approve', '')
      expect(await standing(mr)).toEqual(['approve'])
      await lab.world.as('reviewer').withdraw(mr.number)
      expect(await standing(mr)).toEqual([])
    },
    'request-changes': async () => {
      const mr = await lab.propose('unloved')
      await lab.world.as('reviewer').review(mr.number, 'request_changes', 'No.')
      await lab.world.as('second').review(mr.number, 'approve', '')
      expect((await standing(mr)).toSorted()).toEqual(['approve', 'request_changes'])
      await lab.world.as('reviewer').review(mr.number, 'approve', 'Now.')
      expect(await standing(mr)).toEqual(['approve', 'approve'])
    },
    comment: async () => {
      const mr = await lab.propose('talked-of')
      await lab.world.as('second').comment(mr.number, '/trueup apply')
      expect(await lab.world.comments(mr)).toContainEqual({ body: '/trueup apply', byTrueup: false })
    },
    'comment-upsert': async () => {
      const { world } = lab
      const mr = await lab.propose('marked')
      const ofTrueup = async () => (await world.comments(mr)).filter(({ byTrueup }) => byTrueup).map(({ body }) => body)
      await world.forge.comments.upsert(mr.id, 'suite', 'the first')
      // What looks like a marker to a program is what anybody can write.
      await world.as('second').comment(mr.number, '<!-- trueup:suite -->\nthe first')
      await world.forge.comments.upsert(mr.id, 'suite', 'the **second**')
      await world.forge.comments.upsert(mr.id, 'suite', 'the **second**')
      await world.forge.comments.upsert(mr.id, 'other', 'the third')
      const said = await ofTrueup()
      expect(said.filter((body) => body.includes('the **second**'))).toHaveLength(1)
      expect(said.filter((body) => body.includes('the third'))).toHaveLength(1)
      expect(said.filter((body) => body.includes('the first'))).toEqual([])
      expect(await world.comments(mr)).toContainEqual({ body: '<!-- trueup:suite -->\nthe first', byTrueup: false })
    },
    command: async (cannot) => {
      const { world } = lab
      const mr = await lab.propose('commanded')
      if (cannot !== null)
        return await expect(world.forge.comments.sign(mr.id, 'none', 'taken')).rejects.toMatchObject({
          code: 'FORGE_CANNOT',
          text: { why: cannot },
        })
      await world.as('reviewer').comment(mr.number, '> /trueup help')
      await world.as('reviewer').comment(mr.number, 'Well:\n\n/trueup help')
      await world.look()
      await world.look()
      const answers = (await world.comments(mr)).filter(({ body }) => body.includes('`/trueup help`\n'))
      expect(answers).toEqual([{ body: expect.stringContaining('`/trueup rollback`:'), byTrueup: true }])
      expect(await world.forge.comments.sign(mr.id, '987654321', 'taken')).toBe(false)
    },
    statuses: async (cannot) => {
      const { world } = lab
      const mr = await lab.propose('stated')
      const status = { name: 'trueup/gate', state: 'pending', description: '1 more approval' } as const
      const set = world.forge.statuses.set(mr.id, mr.headOid, status)
      if (cannot !== null)
        return await expect(set).rejects.toMatchObject({ code: 'FORGE_CANNOT', text: { why: cannot } })
      await set
      await world.forge.statuses.set(mr.id, mr.headOid, { ...status, state: 'success', description: 'ready' })
      const shown = (await world.statuses(mr.headOid)).filter(({ name }) => name === 'trueup/gate')
      expect(shown).toEqual([{ name: 'trueup/gate', state: 'success', description: 'ready' }])
    },
    deployments: async (cannot) => {
      const { world } = lab
      const mr = await lab.propose('deployed')
      const oid = mr.headOid
      const deployment = { environment: 'production', production: true, description: '0 of 1 stack deployed' }
      const show = async (state: 'running' | 'success' | 'failure', more: object = {}): Promise<string[]> => {
        await world.forge.deployments.set(mr.id, oid, { ...deployment, ...more, state })
        return (await world.deployments(oid)).map((shown) => `${shown.environment} ${shown.state}`)
      }
      if (cannot !== null)
        return await expect(show('running')).rejects.toMatchObject({ code: 'FORGE_CANNOT', text: { why: cannot } })
      expect(await show('running')).toEqual([expect.stringMatching(/^production (running|in_progress)$/)])
      const failed = await show('failure')
      expect(failed).toEqual([expect.stringMatching(/^production fail/)])
      expect(await show('failure')).toEqual(failed)
      // Another stack of it has come to its end.
      expect(await show('failure', { description: '1 of 2 stacks deployed' })).toEqual(failed)
      expect(await show('success')).toEqual([...failed, 'production success'])
    },
  }
}
