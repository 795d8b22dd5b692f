import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { NO_OID } from './repository.ts'
import { ADA, startGitFixture, userGitOk, type GitFixture } from './testing/fixture.ts'

let fixture: GitFixture
beforeAll(async () => {
  fixture = await startGitFixture()
})
afterAll(() => fixture.close())

test('updateRef is a compare-and-swap', async () => {
  const { repository, commit } = fixture
  const one = await commit('cas', { a: '1' })
  const two = await commit('cas', { a: '2' })
  expect(await repository.updateRef('refs/heads/cas', one, one)).toBe(false)
  expect(await repository.updateRef('refs/heads/cas', one, NO_OID)).toBe(false)
  expect(await repository.updateRef('refs/heads/cas', one, two)).toBe(true)
  expect(await repository.resolve('refs/heads/cas')).toBe(one)
  expect(await repository.deleteRef('refs/heads/cas', two)).toBe(false)
  expect(await repository.deleteRef('refs/heads/cas', one)).toBe(true)
  expect(await repository.deleteRef('refs/heads/cas')).toBe(false)
  for (const name of ['main', 'refs/heads/a..b', 'refs/heads/x.lock', 'refs/heads/a\0b', 'refs/heads/a b']) {
    await expect(repository.updateRef(name, one, NO_OID), name).rejects.toMatchObject({ code: 'INVALID_REQUEST' })
  }
})

test('of many merges at once exactly one wins', async () => {
  const { repository, commit } = fixture
  const base = await commit('race', { a: '1' })
  const heads = await Promise.all(
    Array.from({ length: 8 }, (_, index) =>
      repository.commitFiles({
        parent: base,
        message: `${index}`,
        author: ADA,
        files: [{ path: `f${index}`, content: Buffer.from('x') }],
      }),
    ),
  )
  const won = await Promise.all(heads.map((head) => repository.updateRef('refs/heads/race', head, base)))
  expect(won.filter(Boolean)).toHaveLength(1)
  expect(await repository.resolve('refs/heads/race')).toBe(heads[won.indexOf(true)])
})

test('a ref whose lock is held for a moment is swapped once it is free', async () => {
  const { repository, commit } = fixture
  const one = await commit('locked', { a: '1' })
  const two = await repository.commitFiles({ parent: one, message: 'two', author: ADA, files: [] })
  const lock = join(repository.directory, 'refs/heads/locked.lock')
  await writeFile(lock, '')
  const swap = repository.updateRef('refs/heads/locked', two, one)
  setTimeout(() => void import('node:fs').then((fs) => fs.rmSync(lock)), 150)
  expect(await swap).toBe(true)
  await writeFile(lock, '')
  await expect(repository.updateRef('refs/heads/locked', one, two)).rejects.toMatchObject({ code: 'GIT_FAILED' })
  await rm(lock)
})

test('merges without a working copy, or names the paths in conflict', async () => {
  const { repository, commit } = fixture
  const base = await commit('target', { 'a/x': '1\n', 'b y"ü': '1\n' })
  await repository.updateRef('refs/heads/clean', base, NO_OID)
  await repository.updateRef('refs/heads/clash', base, NO_OID)
  const target = await commit('target', { 'a/x': 'target\n', 'b y"ü': 'target\n' })
  const clean = await commit('clean', { new: 'file\n' })
  const clash = await commit('clash', { 'a/x': 'mine\n', 'b y"ü': 'mine\n' })
  const merged = await repository.mergeTree(target, clean)
  expect(merged.clean).toBe(true)
  if (merged.clean) expect((await repository.readFile(merged.tree, 'new'))?.toString()).toBe('file\n')
  expect(await repository.mergeTree(target, clash)).toEqual({ clean: false, conflicts: ['a/x', 'b y"ü'] })
  const stranger = await commit('stranger', { a: '1' })
  await expect(repository.mergeTree(target, stranger)).rejects.toMatchObject({ code: 'MR_CONFLICT' })
  const missing = 'f'.repeat(40)
  await expect(repository.mergeTree(target, missing)).rejects.toMatchObject({ code: 'GIT_FAILED' })
})

test('commitFiles writes, removes, replaces whole trees by oid, and git finds nothing wrong', async () => {
  const { repository, commit } = fixture
  const first = await commit('rollback', {
    's1/a': 'good',
    's1/b': 'good',
    's2/a': 'keep',
    'x y/"q"\\\n': 'odd',
    file: '1',
  })
  const second = await commit('rollback', {
    's1/a': 'bad',
    's1/c': 'bad',
    's2/a': 'newer',
    file: null,
    's2/deep/er': 'x',
  })
  const before = (await repository.pathOids(first, ['s1', 's1/a', 'file'])).get('s1')!
  const third = await repository.commitFiles({
    parent: second,
    message: 'Roll back s1\n',
    author: ADA,
    committer: { name: 'Trueup', email: 'trueup@localhost', at: ADA.at + 1000 },
    trees: [
      { path: 's1', oid: before.oid },
      { path: 's2/deep', oid: null },
      { path: 'file', oid: (await repository.pathOids(first, ['file'])).get('file')!.oid },
    ],
    files: [{ path: 'bin/run', content: Buffer.from('#!/bin/sh\n'), mode: '100755' }],
  })
  expect((await repository.pathOids(third, ['s1'])).get('s1')).toEqual(before)
  const files = (await repository.listFiles(third)).map((file) => `${file.mode} ${file.path}`)
  expect(files).toEqual([
    '100755 bin/run',
    '100644 file',
    '100644 s1/a',
    '100644 s1/b',
    '100644 s2/a',
    '100644 x y/"q"\\\n',
  ])
  expect((await repository.commit(third)).committer.name).toBe('Trueup')
  await userGitOk(repository.directory, 'fsck', '--strict')
  expect(await repository.refs('refs/trueup/')).toEqual(new Map())
  const root = await repository.commitFiles({
    parent: third,
    message: 'All back',
    author: ADA,
    files: [],
    trees: [{ path: '.', oid: (await repository.commit(first)).tree }],
  })
  expect((await repository.commit(root)).tree).toBe((await repository.commit(first)).tree)
  for (const path of ['../x', '.git/hooks/x', '/x', 'a//b', 'a/./b']) {
    await expect(
      repository.commitFiles({ parent: first, message: 'x', author: ADA, files: [{ path, content: Buffer.from('') }] }),
      path,
    ).rejects.toMatchObject({
      code: 'PATH_OUTSIDE',
    })
  }
})
