import { afterAll, beforeAll, expect, test } from 'vitest'
import { ADA, startGitFixture, userGitOk, writeFiles, type GitFixture } from './testing/fixture.ts'
import { mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'

let fixture: GitFixture
beforeAll(async () => {
  fixture = await startGitFixture()
})
afterAll(() => fixture.close())

test('an empty repository has no refs, nothing resolves, and its default branch is known', async () => {
  const { service } = fixture
  const empty = service.repository('repo_empty')
  expect(await empty.exists()).toBe(false)
  await empty.init('trunk')
  await empty.init('trunk')
  expect(await empty.exists()).toBe(true)
  expect(await empty.defaultBranch()).toBe('trunk')
  expect(await empty.refs()).toEqual(new Map())
  expect(await empty.resolve('trunk')).toBeNull()
  expect(await empty.resolve('HEAD')).toBeNull()
  await empty.setDefaultBranch('main')
  expect(await empty.defaultBranch()).toBe('main')
  await empty.remove()
  expect(await empty.exists()).toBe(false)
})

test('resolves branches, tags, oids and ancestors, and no searches or paths', async () => {
  const { repository, commit } = fixture
  const first = await commit('resolving', { a: '1' })
  const second = await commit('resolving', { a: '2' })
  const tag = (await userGitOk(repository.directory, 'tag', '-a', '-m', 'one', 'v1', first), 'v1')
  expect(await repository.resolve('resolving')).toBe(second)
  expect(await repository.resolve('refs/heads/resolving~1')).toBe(first)
  expect(await repository.resolve(second.slice(0, 10))).toBe(second)
  expect(await repository.resolve(tag)).toBe(first)
  for (const revision of [
    'resolving:a',
    ':/Change',
    'resolving^{/Change}',
    'resolving@{0}',
    '--all',
    'a\nb',
    '',
    'nope',
  ]) {
    expect(await repository.resolve(revision), revision).toBeNull()
  }
  const refs = await repository.refs('refs/heads/res')
  expect(refs).toEqual(new Map([['refs/heads/resolving', second]]))
})

test('reads commits as they were made', async () => {
  const { repository, commit } = fixture
  const oid = await commit(
    'commits',
    { a: '1' },
    { message: 'Subject\n\nBody ü\n', author: { ...ADA, name: 'Ä <x>\n' } },
  )
  const read = await repository.commit(oid)
  expect(read).toMatchObject({ oid, parents: [], message: 'Subject\n\nBody ü\n' })
  expect(read.author).toEqual({ name: 'Ä x', email: ADA.email, at: ADA.at })
  await expect(repository.commit('1'.repeat(40))).rejects.toMatchObject({ code: 'GIT_OBJECT_MISSING' })
  await expect(repository.commit('main')).rejects.toMatchObject({ code: 'INVALID_REQUEST' })
})

test('looks up and lists what git itself lists', async () => {
  const { repository, commit, directory } = fixture
  const clone = await mkdtemp(join(directory, 'clone-'))
  const files = {
    'a/b/c/deep.txt': 'deep',
    'a/b/x': 'x',
    'a b/q"uote\\': 'q',
    'ü/日本': 'u',
    'top.txt': 'top',
    'a-b': 'sorts between',
  }
  const head = await commit('listing', files)
  await userGitOk(clone, 'clone', '-q', '-b', 'listing', repository.directory, '.')
  const listed = (await userGitOk(clone, 'ls-tree', '-r', '-l', '-z', 'HEAD'))
    .split('\0')
    .filter(Boolean)
    .map((line) => line.replace(/^(\d+) blob (\w+) +(\d+)\t/, '$1 $2 $3 '))
  const ours = (await repository.listFiles(head, '', { sizes: true })).map(
    (file) => `${file.mode} ${file.oid} ${file.size} ${file.path}`,
  )
  expect(ours.toSorted()).toEqual(listed.toSorted())
  const directories = (await userGitOk(clone, 'ls-tree', '-r', '-d', '-z', '--name-only', 'HEAD'))
    .split('\0')
    .filter(Boolean)
  expect(await repository.listDirectories(head)).toEqual(directories.toSorted())
  expect((await repository.listFiles(head, 'a/b')).map((file) => file.path)).toEqual(['a/b/c/deep.txt', 'a/b/x'])
  expect(await repository.listFiles(head, 'no/such')).toEqual([])

  const found = await repository.pathOids(head, ['.', '', 'a/b', 'a/b/x', 'a/b/x/y', 'no/such', 'ü/日本'])
  const oidOf = async (path: string) => (await userGitOk(clone, 'rev-parse', `HEAD:${path}`)).trim()
  expect(found.get('.')?.oid).toBe(await oidOf(''))
  expect(found.get('')).toEqual(found.get('.'))
  expect(found.get('a/b')).toEqual({ oid: await oidOf('a/b'), mode: '040000', type: 'tree' })
  expect(found.get('a/b/x')?.oid).toBe(await oidOf('a/b/x'))
  expect(found.get('ü/日本')?.oid).toBe(await oidOf('ü/日本'))
  expect(found.get('a/b/x/y')).toBeNull()
  expect(found.get('no/such')).toBeNull()
  await expect(repository.pathOids(head, ['../etc'])).rejects.toMatchObject({ code: 'PATH_OUTSIDE' })
  await expect(repository.pathOids('2'.repeat(40), ['a'])).rejects.toMatchObject({ code: 'GIT_OBJECT_MISSING' })
})

test('reads regular files only, and not above the limit', async () => {
  const { repository, commit } = fixture
  const head = await commit('files', { 'd/file': 'text', big: Buffer.alloc(3_000_000, 'x') })
  const linked = await repository.commitFiles({
    parent: head,
    message: 'link',
    author: ADA,
    files: [{ path: 'link', content: Buffer.from('d/file'), mode: '120000' }],
  })
  expect(await repository.readFile(linked, 'd/file')).toEqual(Buffer.from('text'))
  expect(await repository.readFile(linked, 'd')).toBeNull()
  expect(await repository.readFile(linked, 'link')).toBeNull()
  expect(await repository.readFile(linked, 'none')).toBeNull()
  expect((await repository.readFile(linked, 'big'))?.length).toBe(3_000_000)
  await expect(repository.readFile(linked, 'big', 2_999_999)).rejects.toMatchObject({ code: 'TOO_LARGE' })
  // The skipped content must not confuse the next answer.
  expect(await repository.readFile(linked, 'd/file')).toEqual(Buffer.from('text'))
})

test('names that are not UTF-8 are listed, found, compared and read', async () => {
  const { repository, commit } = fixture
  const name = 'caf\ufffdE9/n\ufffdFF.txt'
  const first = await commit('latin', { plain: '1', [name]: 'latin' })
  const second = await commit('latin', { [name]: 'changed' })
  expect((await repository.listFiles(first)).map((file) => file.path)).toEqual([name, 'plain'])
  expect(await repository.listDirectories(first)).toEqual(['caf\ufffdE9'])
  expect(await repository.readFile(second, name)).toEqual(Buffer.from('changed'))
  expect(await repository.changedPaths(first, second)).toEqual([name])
  expect((await repository.diff(first, second)).map((file) => file.path)).toEqual([name])
  const raw = await userGitOk(repository.directory, 'ls-tree', '-r', '--name-only', '-z', second)
  expect(raw).toContain('caf')
  await expect(repository.commitsTouching(name, { to: second })).rejects.toMatchObject({ code: 'INVALID_REQUEST' })
})

test('changed paths are those of git', async () => {
  const { repository, commit } = fixture
  const first = await commit('changes', { 'a/x': '1', 'a/y': '1', 'b/deep/z': '1', keep: '1', 'kind/f': '1' })
  const second = await commit('changes', { 'a/x': '2', 'b/deep/z': null, 'c/new': '1', kind: 'now a file' })
  const git = await userGitOk(
    repository.directory,
    'diff-tree',
    '-r',
    '--no-renames',
    '--name-only',
    '-z',
    first,
    second,
  )
  expect(await repository.changedPaths(first, second)).toEqual(git.split('\0').filter(Boolean).toSorted())
  expect(await repository.changedPaths(first, first)).toEqual([])
})

test('history: log, range, path, first parent, merge base and ancestry', async () => {
  const { repository, commit } = fixture
  const one = await commit('history', { 'a/x': '1', y: '1' }, { author: { ...ADA, at: 1_000_000 } })
  const two = await commit('history', { y: '2' }, { author: { ...ADA, at: 2_000_000 } })
  const three = await commit('history', { 'a/x': '3' }, { author: { ...ADA, at: 3_000_000 } })
  await repository.updateRef('refs/heads/side', one, '0'.repeat(40))
  const side = await commit('side', { z: '1' }, { author: { ...ADA, at: 2_500_000 } })
  const merge = await repository.commitTree({
    tree: (await repository.commit(three)).tree,
    parents: [three, side],
    message: 'Merge\n',
    author: { ...ADA, at: 4_000_000 },
  })
  const oids = async (list: ReturnType<typeof repository.log>) => (await list).map((entry) => entry.oid)
  expect(await oids(repository.log({ to: three }))).toEqual([three, two, one])
  expect(await oids(repository.log({ to: three, from: one, limit: 1 }))).toEqual([three])
  expect(await oids(repository.log({ to: merge, from: one, firstParent: true }))).toEqual([merge, three, two])
  expect(await oids(repository.commitsTouching('a', { to: three }))).toEqual([three, one])
  expect(await oids(repository.commitsTouching('*', { to: three }))).toEqual([])
  expect(await repository.mergeBase(three, side)).toBe(one)
  expect(await repository.isAncestor(one, side)).toBe(true)
  expect(await repository.isAncestor(side, three)).toBe(false)
  const island = await commit('island', { a: '1' })
  expect(await repository.mergeBase(island, three)).toBeNull()
})

test('a listing of 10,000 directories takes no process and a fraction of the time that they took to write', async () => {
  const { repository, commit } = fixture
  const files = Object.fromEntries(
    Array.from({ length: 10_000 }, (_, index) => [`s/${index % 100}/${index}/main.tf`, `${index}`]),
  )
  const started = performance.now()
  const head = await commit('many', files)
  const written = performance.now()
  expect(await repository.listDirectories(head)).toHaveLength(10_000 + 100 + 1)
  // Against the writing of the same files on the same machine, however busy that is.
  expect(performance.now() - written).toBeLessThan(written - started)
  const next = await commit('many', { 's/7/1007/main.tf': 'changed' })
  expect(await repository.changedPaths(head, next)).toEqual(['s/7/1007/main.tf'])
})

test('a tree that stands for millions of paths is refused, not walked', async () => {
  const { repository, service } = fixture
  let oid = (await service.run(['hash-object', '-w', '--stdin'], { repository: 'repo_test', input: 'bomb' })).stdout
    .toString()
    .trim()
  let entry = Array.from({ length: 10 }, (_, index) => `100644 blob ${oid}\tf${index}\n`).join('')
  for (let level = 0; level < 9; level++) {
    oid = (await service.run(['mktree'], { repository: 'repo_test', input: entry })).stdout.toString().trim()
    entry = Array.from({ length: 10 }, (_, index) => `040000 tree ${oid}\td${index}\n`).join('')
  }
  await expect(repository.listFiles(oid)).rejects.toMatchObject({ code: 'TOO_LARGE' })
  await expect(repository.materialise(oid, ['.'], join(fixture.directory, 'bomb'))).rejects.toMatchObject({
    code: 'WORKSPACE_LIMIT',
  })
})

test('the user sees the files that commitFiles wrote', async () => {
  const { repository, commit, directory } = fixture
  const clone = await mkdtemp(join(directory, 'clone-'))
  await commit('roundtrip', { 'd/one': '1' })
  await userGitOk(clone, 'clone', '-q', '-b', 'roundtrip', repository.directory, '.')
  await writeFiles(clone, { 'd/two': '2' })
  await userGitOk(clone, 'add', '.')
  await userGitOk(clone, 'commit', '-qm', 'two')
  await userGitOk(clone, 'push', '-q', repository.directory, 'HEAD:refs/heads/roundtrip')
  const head = (await repository.resolve('roundtrip'))!
  expect((await repository.listFiles(head)).map((file) => file.path)).toEqual(['d/one', 'd/two'])
})
