import { describe, expect, it } from 'vitest'
import { NO_OID } from '../../git/repository.ts'
import { removeMember, setMember } from '../../store/people/members.ts'
import { addTeamMember, createTeam, removeTeamMember } from '../../store/people/teams.ts'
import { createUser, patchUser, type User } from '../../store/people/users.ts'
import { recordPush } from '../changes/pushers.ts'
import { syncRefs } from '../changes/ref-sync.ts'
import { approve, audited, bootstrap, configOf, judged, merge, mrOf, propose, unmet } from '../testing/flows.ts'
import type { EngineHarness, Files } from '../testing/harness.ts'
import { useWorld } from '../testing/use-world.ts'
import { liftName } from './lift.ts'

const production = (approvals: object) => ({ environments: { production: { tier: 'production', approvals } } })

describe('a vote', () => {
  const { harness, world } = useWorld()

  const begin = async (approvals: object = { required: 1 }, files: Files = {}) =>
    bootstrap(harness, world, { 'trueup.yaml': configOf({ a: {} }, production(approvals)), 'a/value': '1', ...files })
  const change = async (files: Files = { 'a/value': '2' }) => {
    const mr = await propose(harness, 'change', files)
    await world.work()
    return mr
  }
  const write = <T>(work: Parameters<EngineHarness['store']['transaction']>[0]) =>
    harness.store.transaction(work) as Promise<T>
  const missing = async (id: string) => (await judged(harness, id)).outcome.approvals['production']?.missing ?? []
  const askForChanges = async (id: string, by: User) => {
    const { headOid } = await mrOf(harness, id)
    const review = { mrId: id, userId: by.id, body: '', headOid, digests: {}, files: {} }
    await harness.forge.reviews.give({ ...review, verdict: 'request_changes' })
  }

  it.each<[string, (harness: EngineHarness, user: User) => Promise<unknown>]>([
    ['is disabled', ({ store }, { id }) => store.transaction((tx) => patchUser(tx, id, { disabledAt: 1 }))],
    [
      'has no role any more',
      ({ store, repositoryId }, { id }) => store.transaction((tx) => removeMember(tx, repositoryId, id)),
    ],
    [
      'is only a reader',
      ({ store, repositoryId }, { id: userId }) =>
        store.transaction((tx) => setMember(tx, { repositoryId, userId, role: 'reader' })),
    ],
  ])('of somebody who %s counts neither for nor against', async (_what, demote) => {
    await begin()
    const mr = await change()
    const { reviewer, second } = harness.users
    await approve(harness, mr.id)
    expect(await unmet(harness, mr.id)).toEqual([])
    await demote(harness, reviewer)
    expect(await unmet(harness, mr.id)).toEqual(['approvals'])
    await expect(merge(harness, mr.id, { actorId: second.id })).rejects.toMatchObject({ code: 'MR_BLOCKED' })

    await write((tx) => setMember(tx, { repositoryId: harness.repositoryId, userId: reviewer.id, role: 'contributor' }))
    await write((tx) => patchUser(tx, reviewer.id, { disabledAt: null }))
    expect(await unmet(harness, mr.id)).toEqual([])

    await askForChanges(mr.id, second)
    expect(await unmet(harness, mr.id)).toEqual(['approvals'])
    await demote(harness, second)
    expect(await unmet(harness, mr.id)).toEqual([])
  })

  it('falls when its giver leaves the team that gave it, and does not need a role where the server is theirs', async () => {
    const team = await harness.store.transaction((tx) => createTeam(tx, { name: 'ops' }))
    const { reviewer, second } = harness.users
    await write((tx) => addTeamMember(tx, team.id, reviewer.id))
    await begin({ required: 1, from: ['team:ops', 'user:second'] })
    const mr = await change()
    await approve(harness, mr.id)
    expect(await unmet(harness, mr.id)).toEqual([])
    await write((tx) => removeTeamMember(tx, team.id, reviewer.id))
    expect(await unmet(harness, mr.id)).toEqual(['approvals'])
    await write((tx) => removeMember(tx, harness.repositoryId, second.id))
    await write((tx) => patchUser(tx, second.id, { kind: 'admin' }))
    await approve(harness, mr.id, second)
    expect(await unmet(harness, mr.id)).toEqual([])
  })

  it('of a code owner covers the content that was seen, with the same plan too', async () => {
    await begin({ required: 0, codeOwners: true }, { CODEOWNERS: 'notes/ @reviewer\n' })
    const mr = await change({ 'a/value': '2', 'notes/run.md': 'one' })
    await approve(harness, mr.id)
    expect(await unmet(harness, mr.id)).toEqual([])
    const before = (await judged(harness, mr.id)).digests
    await harness.push('change', { 'notes/run.md': 'two' })
    await world.work()
    expect((await judged(harness, mr.id)).digests).toEqual(before)
    expect(await missing(mr.id)).toEqual([expect.stringMatching(/code owner of notes\/run.md .*another content/)])
    await approve(harness, mr.id)
    await harness.push('change', { 'notes/other.md': 'new' })
    await world.work()
    expect(await missing(mr.id)).toEqual([expect.stringContaining('notes/other.md')])
    await approve(harness, mr.id)
    await harness.push('change', { 'free.md': 'owned by nobody' })
    await harness.push('change', { 'notes/other.md': null })
    await world.work()
    expect(await missing(mr.id)).not.toContainEqual(expect.stringContaining('notes/'))
  })

  it('of code owners is asked for files outside all stacks, in a merge request of nothing else too', async () => {
    await begin({ required: 1, codeOwners: true }, { CODEOWNERS: 'docs/ @second\n' })
    const mr = await change({ 'docs/a.md': 'x' })
    expect((await judged(harness, mr.id)).stacks).toEqual([])
    expect(await unmet(harness, mr.id)).toEqual(['approvals'])
    await approve(harness, mr.id)
    expect(await unmet(harness, mr.id)).toEqual(['approvals'])
    await approve(harness, mr.id, harness.users.second)
    expect(await unmet(harness, mr.id)).toEqual([])
    await askForChanges(mr.id, harness.users.reviewer)
    expect(await unmet(harness, mr.id)).toEqual(['approvals'])
  })

  it('is needed of as many owners as a section says', async () => {
    await begin(
      { required: 0, codeOwners: true },
      { CODEOWNERS: '[Ops][2]\na/ @second @reviewer\n^[Docs]\na/ @none\n' },
    )
    const mr = await change()
    await approve(harness, mr.id)
    expect(await missing(mr.id)).toEqual([expect.stringMatching(/2 approvals by .*\(1 of 2\)/)])
    await approve(harness, mr.id, harness.users.second)
    expect(await unmet(harness, mr.id)).toEqual([])
  })

  it('survives a rebase that changes no plan and no owned file, and a later push of another', async () => {
    await begin({ required: 1, codeOwners: true }, { CODEOWNERS: 'a/ @reviewer\n', other: '1' })
    const mr = await change({ 'a/value': '2' })
    await approve(harness, mr.id)
    const moved = await harness.push('side', { other: '2' })
    const side = await propose(harness, 'side', { other: '3' })
    await world.work()
    await merge(harness, side.id)
    await world.work()
    const main = (await harness.git.resolve('refs/heads/main'))!
    expect(await harness.git.isAncestor(moved, main)).toBe(true)
    // The rebase: the same change on the new main, in a commit of its own.
    await harness.push('change', { 'a/value': '2' }, { from: main, by: 'author' })
    await world.work()
    const after = await mrOf(harness, mr.id)
    expect(after.headOid).not.toBe(mr.headOid)
    expect(await harness.git.isAncestor(main, after.headOid)).toBe(true)
    expect(await unmet(harness, mr.id)).toEqual([])
  })

  it('is not to be had for a tip of unknown origin, until somebody pushes it, who then is no judge of it', async () => {
    await begin()
    const mr = await change()
    const newOid = await harness.git.commitFiles({
      parent: mr.headOid,
      message: 'Written to the disk of the server',
      author: { name: 'x', email: 'x@example.test', at: harness.clock.now() },
      files: [{ path: 'a/value', content: Buffer.from('3') }],
    })
    await harness.git.updateRef('refs/heads/change', newOid, mr.headOid)
    await syncRefs(harness.engine.parts, harness.repositoryId)
    await world.work()
    await approve(harness, mr.id)
    expect(await missing(mr.id)).toEqual([expect.stringContaining('git push'), '1 more approval (0 of 1)'])
    const { repositoryId, users } = harness
    await recordPush(harness.engine.parts, { repositoryId, userId: users.reviewer.id }, [
      { ref: 'refs/heads/y', newOid },
    ])
    expect(await missing(mr.id)).toEqual(['1 more approval (0 of 1)'])
    await approve(harness, mr.id, users.second)
    expect(await unmet(harness, mr.id)).toEqual([])
  })

  it('of somebody who pushes afterwards no longer counts, be it only a merge of the target', async () => {
    await begin()
    const mr = await change()
    await approve(harness, mr.id)
    await harness.push('change', { 'notes.md': 'x' }, { by: 'reviewer' })
    await world.work()
    expect(await unmet(harness, mr.id)).toEqual(['approvals'])
    await approve(harness, mr.id, harness.users.second)
    expect(await unmet(harness, mr.id)).toEqual([])
  })

  it.each([
    ['as author, in capitals', { by: 'SECOND' }],
    ['as co-author', { message: 'Change\n\nCo-Authored-By: S <Second@Example.Test>\n' }],
    ['as co-author without brackets', { message: 'Change\n\nCo-authored-by: second@example.test\n' }],
    ['as one of several', { message: 'Change\n\nCo-authored-by: A <a@example.test>,\r\n S <second@example.test>\r\n' }],
  ])('is kept from whom a commit names %s, until a maintainer lifts that for these commits', async (_what, how) => {
    await begin()
    const mr = await change()
    await harness.push('change', { 'a/note': 'x' }, how)
    await world.work()
    const { author, reviewer, second } = harness.users
    await approve(harness, mr.id, second)
    expect(await unmet(harness, mr.id)).toEqual(['approvals'])
    const lift = async (by: User, user = 'second') =>
      liftName(harness.engine.parts, { mr: await mrOf(harness, mr.id), user, actorId: by.id, reason: 'not theirs' })
    for (const by of [second, author]) await expect(lift(by)).rejects.toMatchObject({ code: 'FORBIDDEN' })
    await expect(lift(reviewer, 'author')).rejects.toMatchObject({ code: 'CONFLICT' })
    await expect(lift(reviewer, 'reviewer')).rejects.toMatchObject({ code: 'CONFLICT' })
    await expect(lift(reviewer, 'nobody')).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await lift(reviewer)
    expect(await unmet(harness, mr.id)).toEqual([])
    expect(await audited(harness, 'mr.name_lifted')).toMatchObject([
      { data: { userId: second.id, reason: 'not theirs' } },
    ])
    await harness.push('change', { 'a/more': 'x' }, how)
    await world.work()
    expect(await unmet(harness, mr.id)).toEqual(['approvals'])
  })

  it('is not lifted for who has pushed', async () => {
    await begin()
    const mr = await change()
    await harness.push('change', { 'a/note': 'x' }, { by: 'second' })
    const wish = { mr: await mrOf(harness, mr.id), user: 'second', actorId: harness.users.reviewer.id, reason: 'x' }
    await expect(liftName(harness.engine.parts, wish)).rejects.toMatchObject({ code: 'CONFLICT' })
  })

  it('of all accounts with an address is kept from it', async () => {
    await begin()
    const twin = await harness.store.transaction((tx) =>
      createUser(tx, { name: 'twin', email: 'author@EXAMPLE.test', kind: 'admin' }),
    )
    const mr = await change()
    await approve(harness, mr.id, twin)
    expect(await unmet(harness, mr.id)).toEqual(['approvals'])
  })

  it('hears of what CODEOWNERS says in vain: unread lines, unknown accounts, owners who may not approve', async () => {
    await begin({ required: 0, codeOwners: true }, { CODEOWNERS: 'a/ @reviewer\n/[w]eb/ @second\n' })
    const warnings = async (id: string) =>
      (await judged(harness, id)).outcome.requirements
        .filter(({ name }) => name === 'owners')
        .map(({ message }) => message)
    const mr = await change({
      CODEOWNERS: 'a/ @reviewer\n/[w]eb/ @second\nb/ @ghost team:none\n[X][2]\nc/ @reviewer\n',
    })
    const [brought, standing] = await warnings(mr.id)
    expect(brought).toContain('line 3: @ghost is no account')
    expect(brought).toContain('team:none is no team')
    expect(brought).toContain('[X] asks for 2 approvals, and only 1 of its owners')
    expect(brought).not.toContain('[w]eb')
    expect(standing).toMatch(/line 2: character ranges/)
    await write((tx) => patchUser(tx, harness.users.reviewer.id, { disabledAt: 1 }))
    expect((await warnings(mr.id))[1]).toContain('@reviewer has a disabled account')
  })

  it('has merge commits that Trueup makes, rollbacks and what it codifies known to it', async () => {
    await begin()
    const first = await propose(harness, 'feature', { 'a/value': '2' })
    expect((await judged(harness, first.id)).makers.unknownTip).toBeNull()
    await world.work()
    await approve(harness, first.id)
    const merged = await merge(harness, first.id)
    expect(await harness.git.updateRef('refs/heads/again', merged.mergeOid!, NO_OID)).toBe(true)
    await syncRefs(harness.engine.parts, harness.repositoryId)
    const makers = await harness.store.db
      .selectFrom('pushes')
      .select('userId')
      .where('oid', '=', merged.mergeOid!)
      .execute()
    expect(makers).toEqual([{ userId: harness.users.reviewer.id }])
  })
})
