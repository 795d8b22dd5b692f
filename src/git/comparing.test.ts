import { afterAll, beforeAll, expect, test } from 'vitest'
import { EMPTY_TREE } from './repository.ts'
import { ADA, startGitFixture, type GitFixture } from './testing/fixture.ts'

let fixture: GitFixture
beforeAll(async () => {
  fixture = await startGitFixture()
})
afterAll(() => fixture.close())

const lines = (count: number, text = 'line'): string =>
  Array.from({ length: count }, (_, index) => `${text} ${index}\n`).join('')

test('every kind of change, in one diff', async () => {
  const { repository, commit } = fixture
  const base = await commit('kinds', {
    'old/name.txt': lines(30),
    gone: 'gone\n',
    edited: 'diff --git a/x b/x\n@@ no hunk\nold\n',
    binary: Buffer.from([0, 1, 2, 3]),
    kind: 'a file\n',
    mode: 'run\n',
    'q"uo te\\ü': '1\n',
  })
  const head = await repository.commitFiles({
    parent: base,
    message: 'x',
    author: ADA,
    trees: [{ path: 'sub', oid: base, mode: '160000' }],
    files: [
      { path: 'old/name.txt', content: null },
      { path: 'new/name.txt', content: Buffer.from(lines(30).replace('line 7', 'changed')) },
      { path: 'gone', content: null },
      { path: 'edited', content: Buffer.from('diff --git a/x b/x\n@@ no hunk\nnew\ndiff --git a/y b/y\n') },
      { path: 'binary', content: Buffer.from([0, 9, 9]) },
      { path: 'kind', content: Buffer.from('edited'), mode: '120000' },
      { path: 'mode', content: Buffer.from('run\n'), mode: '100755' },
      { path: 'q"uo te\\ü', content: Buffer.from('2\n') },
      { path: 'added', content: Buffer.from('no newline') },
    ],
  })
  const diff = Object.fromEntries((await repository.diff(base, head)).map((file) => [file.path, file]))
  expect(diff['new/name.txt']).toMatchObject({
    status: 'renamed',
    oldPath: 'old/name.txt',
    additions: 1,
    deletions: 1,
    truncated: false,
  })
  expect(diff['new/name.txt']?.hunks).toContain('-line 7\n+changed\n')
  expect(diff['gone']).toMatchObject({ status: 'deleted', newMode: null, newOid: null, deletions: 1 })
  expect(diff['edited']).toMatchObject({ status: 'modified', additions: 2, deletions: 1 })
  expect(diff['edited']?.hunks).toBe(
    '@@ -1,3 +1,4 @@\n diff --git a/x b/x\n @@ no hunk\n-old\n+new\n+diff --git a/y b/y\n',
  )
  expect(diff['binary']).toMatchObject({ binary: true, hunks: '', additions: 0, truncated: false })
  expect(diff['kind']).toMatchObject({ status: 'type-changed', oldMode: '100644', newMode: '120000' })
  expect(diff['kind']?.hunks).toContain('-a file\n')
  expect(diff['kind']?.hunks).toContain('+edited\n')
  expect(diff['mode']).toMatchObject({
    status: 'modified',
    oldMode: '100644',
    newMode: '100755',
    hunks: '',
    truncated: false,
  })
  expect(diff['q"uo te\\ü']?.hunks).toBe('@@ -1 +1 @@\n-1\n+2\n')
  expect(diff['added']).toMatchObject({ status: 'added', oldMode: null, oldOid: null })
  expect(diff['added']?.hunks).toContain('\\ No newline at end of file')
  expect(diff['sub']).toMatchObject({ status: 'added', newMode: '160000', newOid: base })
  expect(diff['sub']?.hunks).toContain(`+Subproject commit ${base}`)
})

test('paths narrow the diff and are no patterns', async () => {
  const { repository, commit } = fixture
  const base = await commit('narrow', { 'a/x': '1', 'a*': '1', b: '1' })
  const head = await commit('narrow', { 'a/x': '2', 'a*': '2', b: '2' })
  const paths = async (...only: string[]) =>
    (await repository.diff(base, head, { paths: only })).map((file) => file.path)
  expect(await paths('a')).toEqual(['a/x'])
  expect(await paths('a*')).toEqual(['a*'])
  expect(await paths('.')).toEqual(['a*', 'a/x', 'b'])
  expect(await repository.diff(base, base)).toEqual([])
  expect((await repository.diff(EMPTY_TREE, head)).map((file) => file.status)).toEqual(['added', 'added', 'added'])
})

test('one huge file and very many files are cut off and say so, with their counts right', async () => {
  const { repository, commit } = fixture
  const base = await commit('huge', { first: 'x\n' })
  const many = Object.fromEntries(
    Array.from({ length: 30 }, (_, index) => [`m/${String(index).padStart(2, '0')}`, lines(3)]),
  )
  const head = await commit('huge', { huge: lines(400_000), first: 'y\n', ...many })
  const diff = await repository.diff(base, head, { maxBytesPerFile: 10_000, maxFiles: 12 })
  expect(diff).toHaveLength(32)
  const huge = diff.find((file) => file.path === 'huge')!
  expect(huge).toMatchObject({ additions: 400_000, truncated: true })
  expect(huge.hunks.length).toBeLessThanOrEqual(10_000)
  expect(huge.hunks.length).toBeGreaterThan(9_000)
  expect(diff.find((file) => file.path === 'first')).toMatchObject({ truncated: false, hunks: '@@ -1 +1 @@\n-x\n+y\n' })
  expect(diff.filter((file) => file.truncated && file.hunks === '')).toHaveLength(32 - 12)
  const whole = diff.find((file) => file.path === 'm/03')!
  expect(whole.hunks).toBe('@@ -0,0 +1,3 @@\n+line 0\n+line 1\n+line 2\n')
})
