import { expect } from 'vitest'
import type { Bodies, Lab } from '../lab.ts'

type Names = 'open' | 'open-refused' | 'update' | 'draft' | 'close-reopen' | 'deleted-branch' | 'revert'

/** From being opened to being over. */
export const changeBodies = (lab: Lab): Bodies<Names> => ({
  open: async () => {
    const { world } = lab
    const { users, repositoryId } = world.harness
    const head = await world.push('opened', { opened: '1\n' })
    const description = 'Why:\n\nbecause @all of <b>us</b> want it'
    const number = await world.as('author').open({ sourceBranch: 'opened', title: 'Open it', description })
    const mr = await lab.seen(number)
    expect(mr).toMatchObject({
      number,
      repositoryId,
      sourceBranch: 'opened',
      targetBranch: 'main',
      title: 'Open it',
      description,
      headOid: head,
      targetOid: await world.tip('main'),
      state: 'open',
      draft: false,
      authorId: users.author.id,
      origin: null,
    })
    const change = { repositoryId, sourceBranch: 'opened', targetBranch: 'main', title: 'Again', description: '' }
    expect(await world.forge.changes.open({ ...change, authorId: users.second.id })).toMatchObject({ id: mr.id })
  },
  'open-refused': async () => {
    const { world } = lab
    const { users, repositoryId } = world.harness
    const { title, description, authorId } = { title: 'It', description: '', authorId: users.author.id }
    const open = (sourceBranch: string, targetBranch = 'main') =>
      world.forge.changes.open({ repositoryId, sourceBranch, targetBranch, title, description, authorId })
    await expect(open('nowhere')).rejects.toMatchObject({
      code: 'NOT_FOUND',
      text: { why: expect.stringContaining('"nowhere"') },
    })
    await world.push('there', { there: '1\n' })
    await world.look()
    await expect(open('there', 'gone')).rejects.toMatchObject({
      code: 'NOT_FOUND',
      text: { why: expect.stringContaining('"gone"') },
    })
    await expect(open('main')).rejects.toMatchObject({ code: 'INVALID_REQUEST' })
    const merged = await lab.propose('merged-before')
    await lab.merge(merged)
    await expect(open('merged-before')).rejects.toMatchObject({ code: 'INVALID_REQUEST' })
  },
  update: async () => {
    const mr = await lab.propose('updated')
    await lab.world.as('author').edit(mr.number, { title: 'Better', description: 'Now with words' })
    expect(await lab.again(mr)).toMatchObject({ title: 'Better', description: 'Now with words', state: 'open' })
    const head = await lab.world.push('updated', { updated: '2\n' })
    expect(await lab.again(mr)).toMatchObject({ headOid: head })
  },
  draft: async () => {
    const mr = await lab.propose('drafted', { draft: true })
    expect(mr).toMatchObject({ draft: true, title: 'Change drafted' })
    await lab.world.as('author').edit(mr.number, { draft: false })
    expect(await lab.again(mr)).toMatchObject({ draft: false, title: 'Change drafted' })
    await lab.world.as('author').edit(mr.number, { draft: true })
    expect(await lab.again(mr)).toMatchObject({ draft: true })
  },
  'close-reopen': async () => {
    const mr = await lab.propose('closed')
    await lab.world.as('second').close(mr.number)
    expect(await lab.again(mr)).toMatchObject({ state: 'closed' })
    await expect(lab.world.forge.merging.merge(lab.how(mr))).rejects.toMatchObject({ code: 'CONFLICT' })
    await lab.world.as('author').reopen(mr.number)
    expect(await lab.again(mr)).toMatchObject({ id: mr.id, state: 'open', headOid: mr.headOid })
    await lab.world.forge.changes.close(mr.id, 'system', 'the drift is gone')
    expect(await lab.again(mr)).toMatchObject({ state: 'closed' })
  },
  'deleted-branch': async () => {
    const mr = await lab.propose('deleted')
    await lab.world.removeBranch('deleted')
    expect(await lab.again(mr)).toMatchObject({ state: 'closed', mergeOid: null })
    await expect(lab.world.forge.changes.reopen(mr.id, 'system')).rejects.toMatchObject({ code: 'NOT_FOUND' })
  },
  revert: async () => {
    const { world } = lab
    const { git, repositoryId, users, clock } = world.harness
    const before = (await git.commit((await world.tip('main'))!)).tree
    const bad = await lab.merge(await lab.propose('regretted'))
    const head = (await world.tip('main'))!
    expect((await git.commit(head)).tree).not.toBe(before)
    const author = { name: 'trueup', email: '', at: clock.now() }
    const commit = await git.commitTree({ tree: before, parents: [head], message: 'Roll back\n', author })
    expect(await world.forge.branches.move(repositoryId, 'trueup-rollback', commit, '0'.repeat(40))).toBe(true)
    expect(await world.forge.branches.move(repositoryId, 'trueup-rollback', head, '0'.repeat(40))).toBe(false)
    await world.look()
    const detail = { revertCommit: bad.mergeOid! }
    const mr = await world.forge.changes.open({
      repositoryId,
      sourceBranch: 'trueup-rollback',
      targetBranch: 'main',
      title: 'Roll back',
      description: '',
      authorId: users.author.id,
      origin: { kind: 'codify', detail },
    })
    expect(await lab.again(mr)).toMatchObject({
      origin: 'codify',
      originDetail: detail,
      headOid: commit,
      state: 'open',
    })
    expect(await lab.merge(mr)).toMatchObject({ state: 'merged', id: mr.id })
    expect((await git.commit((await world.tip('main'))!)).tree).toBe(before)
  },
})
