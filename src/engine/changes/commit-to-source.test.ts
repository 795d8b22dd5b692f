import { describe, expect, it } from 'vitest'
import { listComments } from '../../store/changes/comments.ts'
import { pushersOf } from '../../store/changes/refs.ts'
import { approve, audited, bootstrap, configOf, mrOf, propose, runsOf, unmet } from '../testing/flows.ts'
import { useWorld } from '../testing/use-world.ts'
import { applySuggestion } from './apply-suggestion.ts'
import { commitToSource, type SourceEdit } from './commit-to-source.ts'

const { harness, world } = useWorld()

const files = { 'trueup.yaml': configOf({ a: {} }), 'a/value': 'one\n', 'a/run.sh': 'true\n' }
const begin = async (
  change: { [path: string]: string } = { 'a/value': 'one\ntwo\nthree\nfour\nfive\nsix\nseven\n' },
) => {
  await bootstrap(harness, world, files)
  const mr = await propose(harness, 'change', change)
  await world.work()
  return mr
}
const tip = async () => (await harness.git.resolve('refs/heads/change'))!
const read = async (path = 'a/value') => (await harness.git.readFile(await tip(), path))?.toString() ?? null
const commit = async (mrId: string, edit: Partial<SourceEdit>) => {
  const commitOid = await commitToSource(harness.engine.parts, {
    mrId,
    userId: harness.users.second.id,
    head: await tip(),
    message: 'Change it\n',
    files: [{ path: 'a/value', content: 'edited\n' }],
    ...edit,
  })
  await harness.settle()
  return commitOid
}

describe('a commit without a push', () => {
  it('is planned, is on record as one of its maker, and takes approvals away as a push does', async () => {
    const mr = await begin()
    await approve(harness, mr.id, harness.users.second)
    expect(await unmet(harness, mr.id)).toEqual([])
    const made = await commit(mr.id, {})
    await world.work()
    expect([await tip(), await read(), await read('a/run.sh')]).toEqual([made, 'edited\n', 'true\n'])
    expect(await mrOf(harness, mr.id)).toMatchObject({ headOid: made })
    expect(await pushersOf(harness.store.db, harness.repositoryId, [made])).toEqual([harness.users.second.id])
    expect(await harness.git.commit(made)).toMatchObject({
      message: 'Change it\n',
      author: { name: 'second', email: 'second@example.test' },
    })
    expect((await audited(harness, 'ref.update')).map(({ actor }) => actor)).toContain(
      `user:${harness.users.second.id}`,
    )
    expect((await runsOf(harness, { kind: 'preview' })).length).toBeGreaterThan(1)
    // Neither the earlier approval nor a new one of who has made it counts.
    await approve(harness, mr.id, harness.users.second)
    expect(await unmet(harness, mr.id)).toEqual(['approvals'])
    await approve(harness, mr.id)
    expect(await unmet(harness, mr.id)).toEqual([])
  })

  it('makes, removes and keeps the mode of files', async () => {
    const mr = await begin()
    const parent = await tip()
    const executable = { path: 'a/tool', content: Buffer.from('x\n'), mode: '100755' as const }
    const author = { name: 'x', email: 'x@example.test', at: 0 }
    const with755 = await harness.git.commitFiles({ parent, message: 'x\n', author, files: [executable] })
    await harness.git.updateRef('refs/heads/change', with755, parent)
    await commit(mr.id, {
      files: [
        { path: 'a/tool', content: 'y\n' },
        { path: 'a/deep/new', content: '' },
        { path: 'a/run.sh', content: null },
      ],
    })
    const found = await harness.git.pathOids(await tip(), ['a/tool', 'a/deep/new', 'a/run.sh'])
    expect([...found.values()].map((entry) => entry?.mode ?? null)).toEqual(['100755', '100644', null])
  })

  it('is refused where it is no change of plain files inside, and nothing moves', async () => {
    const mr = await begin()
    const before = await tip()
    const refused: [string, Partial<SourceEdit>, string][] = [
      ['of a head that is not there any more', { head: 'a'.repeat(40) }, 'MR_MOVED'],
      ['that changes nothing', { files: [{ path: 'a/value', content: await read() }] }, 'INVALID_REQUEST'],
      ['out of the repository', { files: [{ path: '../x', content: '' }] }, 'PATH_OUTSIDE'],
      ['into what is Git’s', { files: [{ path: 'a/.GIT/config', content: '' }] }, 'PATH_OUTSIDE'],
      ['of an absolute path', { files: [{ path: '/etc/passwd', content: '' }] }, 'PATH_OUTSIDE'],
      ['over a directory', { files: [{ path: 'a', content: '' }] }, 'INVALID_REQUEST'],
      ['of the root', { files: [{ path: '.', content: '' }] }, 'INVALID_REQUEST'],
      ['below a file', { files: [{ path: 'a/value/x', content: '' }] }, 'INVALID_REQUEST'],
      ['of what is not there', { files: [{ path: 'a/none', content: null }] }, 'INVALID_REQUEST'],
      ['of half a character', { files: [{ path: 'a/x', content: '\ud800' }] }, 'INVALID_REQUEST'],
      ['of too much', { files: [{ path: 'a/x', content: 'ä'.repeat(600_000) }] }, 'TOO_LARGE'],
      ['of a file twice', { files: ['1', '2'].map((content) => ({ path: 'x', content })) }, 'INVALID_REQUEST'],
      ['of a file and one below it', { files: ['x', 'x/y'].map((path) => ({ path, content: '' })) }, 'INVALID_REQUEST'],
    ]
    const answers: [string, string][] = []
    for (const [what, edit] of refused) {
      const code = await commit(mr.id, edit).catch((error: { code: string }) => error.code)
      answers.push([what, code])
    }
    expect(answers).toEqual(refused.map(([what, , code]) => [what, code]))
    expect(await tip()).toBe(before)
  })

  it('is refused over a link, and once the merge request is over', async () => {
    const mr = await begin()
    const parent = await tip()
    const link = { path: 'a/link', content: Buffer.from('/etc/passwd'), mode: '120000' as const }
    const author = { name: 'x', email: 'x@example.test', at: 0 }
    const linked = await harness.git.commitFiles({ parent, message: 'x\n', author, files: [link] })
    await harness.git.updateRef('refs/heads/change', linked, parent)
    for (const path of ['a/link', 'a/link/x'])
      await expect(commit(mr.id, { files: [{ path, content: 'x' }] })).rejects.toMatchObject({
        code: 'INVALID_REQUEST',
      })
    await harness.forge.changes.close(mr.id, 'system', 'over')
    await expect(commit(mr.id, {})).rejects.toMatchObject({ code: 'CONFLICT' })
  })

  it('is refused where the default branch itself is merged into another one', async () => {
    await bootstrap(harness, world, files)
    await harness.push('release', { 'a/value': 'older\n' })
    await harness.push('main', { 'a/value': 'newer\n' })
    const mr = await harness.forge.changes.open({
      repositoryId: harness.repositoryId,
      sourceBranch: 'main',
      targetBranch: 'release',
      title: 'Bring main',
      description: '',
      authorId: harness.users.author.id,
    })
    const head = (await harness.git.resolve('refs/heads/main'))!
    await expect(commit(mr.id, { head })).rejects.toMatchObject({ code: 'FORBIDDEN' })
    expect(await harness.git.resolve('refs/heads/main')).toBe(head)
  })
})

describe('a suggestion', () => {
  const suggest = (mrId: string, line: number, body: string, path = 'a/value') =>
    harness.forge.comments.add({ mrId, authorId: harness.users.reviewer.id, body, path, line })
  const apply = async (mrId: string, commentId: string, index = 0) => {
    await applySuggestion(harness.engine.parts, { mrId, commentId, index, userId: harness.users.author.id })
    await harness.settle()
  }

  it('takes the place of its lines, also after others were pushed, and resolves its thread', async () => {
    const mr = await begin()
    const one = await suggest(mr.id, 1, 'Rather:\n```suggestion\nONE\nhalf\n```')
    const other = await suggest(mr.id, 6, '```suggestion:-1+0\nfive and six\n```')
    await apply(mr.id, one.id)
    await apply(mr.id, other.id)
    expect(await read()).toBe('ONE\nhalf\ntwo\nthree\nfour\nfive and six\nseven\n')
    const comments = await listComments(harness.store.db, mr.id)
    expect(comments.filter(({ resolvedAt }) => resolvedAt !== null).map(({ id }) => id)).toEqual([one.id, other.id])
    expect(await pushersOf(harness.store.db, harness.repositoryId, [await tip()])).toEqual([harness.users.author.id])
    await world.work()
    // Who has suggested it may approve what somebody else has made of it.
    await approve(harness, mr.id)
    expect(await unmet(harness, mr.id)).toEqual([])
  })

  it('follows a rebase, and stops where its lines have changed', async () => {
    const mr = await begin()
    const kept = await suggest(mr.id, 7, '```suggestion\n7\n```')
    const lost = await suggest(mr.id, 1, '```suggestion\n1\n```')
    const main = (await harness.git.resolve('refs/heads/main'))!
    await harness.push('change', { 'a/value': 'uno\ntwo\nthree\nfour\nfive\nsix\nseven\n' }, { from: main })
    await apply(mr.id, kept.id)
    expect(await read()).toBe('uno\ntwo\nthree\nfour\nfive\nsix\n7\n')
    await expect(apply(mr.id, lost.id)).rejects.toMatchObject({ code: 'CONFLICT' })
    expect(await read()).toBe('uno\ntwo\nthree\nfour\nfive\nsix\n7\n')
  })

  it('is refused where there is none that changes lines that are there', async () => {
    const mr = await begin()
    const at = async (line: number, body: string, index = 0) => {
      const { id } = await suggest(mr.id, line, body)
      return await apply(mr.id, id, index).catch((error: { code: string }) => error.code)
    }
    expect([
      await at(99, '```suggestion\nx\n```'),
      await at(1, '```suggestion\none\n```'),
      await at(1, '```suggestion\nx\n```', 1),
      await at(1, 'words'),
    ]).toEqual(Array.from({ length: 4 }, () => 'INVALID_REQUEST'))
  })
})
