import { execFileSync } from 'node:child_process'
import { createReadStream } from 'node:fs'
import { lstat, mkdir, readdir, readFile, readlink, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { pack } from 'tar-stream'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { archive, extract, materialise } from './materialise.ts'
import { ADA, startGitFixture, type GitFixture } from './testing/fixture.ts'

let fixture: GitFixture
let commitOid: string
let count = 0
beforeAll(async () => {
  fixture = await startGitFixture()
  const base = await fixture.commit('work', {
    'stacks/one/main.tf': 'main\n',
    'stacks/one/sub/deep.tf': 'deep\n',
    'stacks/one/caf\ufffdE9': 'latin-1 name',
    'stacks/two/main.tf': 'two\n',
    'modules/net/net.tf': 'net\n',
    'shared.tfvars': 'x = 1\n',
    'large/blob': Buffer.alloc(5_000_000, 'z'),
  })
  commitOid = await fixture.repository.commitFiles({
    parent: base,
    message: 'more',
    author: ADA,
    trees: [{ path: 'stacks/one/vendor', oid: base, mode: '160000' }],
    files: [
      { path: 'stacks/one/run.sh', content: Buffer.from('#!/bin/sh\n'), mode: '100755' },
      { path: 'stacks/one/link', content: Buffer.from('../../modules/net'), mode: '120000' },
      { path: 'evil/link', content: Buffer.from('../../../etc/passwd'), mode: '120000' },
      { path: 'evil/through', content: Buffer.from('link/x'), mode: '120000' },
      { path: 'strange/link', content: Buffer.from('/caf\xe9', 'latin1'), mode: '120000' },
    ],
  })
})
afterAll(() => fixture.close())

const fresh = (): string => join(fixture.directory, `work-${++count}`)

type Way = (
  paths: string[],
  limits?: object,
) => Promise<{ directory: string; result: Awaited<ReturnType<typeof materialise>> }>
const direct: Way = async (paths, limits) => {
  const directory = fresh()
  return { directory, result: await materialise(fixture.repository, commitOid, paths, directory, limits) }
}
const byTar: Way = async (paths, limits) => {
  const directory = fresh()
  return { directory, result: await extract(archive(fixture.repository, commitOid, paths, limits), directory, limits) }
}

describe.each([
  ['direct', direct],
  ['by tar', byTar],
])('%s', (_name, make) => {
  test('writes exactly the wanted paths, with modes, symlinks and empty submodules', async () => {
    const { directory, result } = await make(['stacks/one', 'modules/net', 'shared.tfvars', 'stacks/one/sub'])
    expect(result).toMatchObject({ files: 6, symlinks: 1, submodules: ['stacks/one/vendor'] })
    const found = execFileSync('find', ['.', '-mindepth', '1', '-printf', '%P\\0'], {
      cwd: directory,
      encoding: 'latin1',
    })
    expect(found.split('\0').filter(Boolean).toSorted()).toEqual(
      [
        'modules',
        'modules/net',
        'modules/net/net.tf',
        'shared.tfvars',
        'stacks',
        'stacks/one',
        'stacks/one/caf\xe9',
        'stacks/one/link',
        'stacks/one/main.tf',
        'stacks/one/run.sh',
        'stacks/one/sub',
        'stacks/one/sub/deep.tf',
        'stacks/one/vendor',
      ].toSorted(),
    )
    expect(await readFile(join(directory, 'stacks/one/sub/deep.tf'), 'utf8')).toBe('deep\n')
    expect((await stat(join(directory, 'stacks/one/run.sh'))).mode & 0o111).toBe(0o111)
    expect((await stat(join(directory, 'stacks/one/main.tf'))).mode & 0o111).toBe(0)
    expect(await readlink(join(directory, 'stacks/one/link'))).toBe('../../modules/net')
    expect(result.bytes).toBe('main\ndeep\nlatin-1 namenet\nx = 1\n#!/bin/sh\n'.length)
  })

  test('large files arrive whole', async () => {
    const { directory } = await make(['large'])
    expect((await readFile(join(directory, 'large/blob'))).equals(Buffer.alloc(5_000_000, 'z'))).toBe(true)
  })

  test('a symlink that leads out is refused by name and nothing stays behind', async () => {
    const directory = join(fixture.directory, `work-${count + 1}`)
    await expect(make(['evil'])).rejects.toMatchObject({
      code: 'PATH_OUTSIDE',
      text: { details: { path: 'evil/link' } },
    })
    await expect(lstat(directory)).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('where it is asked for, a symlink that leads out is told and not made, nor one that goes through it', async () => {
    const { directory, result } = await make(['evil', 'stacks/one'], { keepLinks: true })
    expect(result.symlinks).toBe(1)
    const told = { 'evil/link': '../../../etc/passwd', 'evil/through': 'link/x' }
    expect(Object.fromEntries(result.keptLinks)).toEqual(told)
    expect(await readdir(join(directory, 'evil'))).toEqual([])
    expect((await lstat(join(directory, 'stacks/one/link'))).isSymbolicLink()).toBe(true)
  })

  test('a symlink to what is no text is refused also where links that lead out are asked for', async () => {
    await expect(make(['strange'], { keepLinks: true })).rejects.toMatchObject({
      code: 'PATH_OUTSIDE',
      text: { details: { path: 'strange/link' } },
    })
  })

  test.each([[{ maxFiles: 3 }], [{ maxBytes: 20 }], [{ maxDepth: 2 }]])('%j is kept', async (limits) => {
    const directory = join(fixture.directory, `work-${count + 1}`)
    await expect(make(['stacks'], limits)).rejects.toMatchObject({ code: 'WORKSPACE_LIMIT' })
    await expect(lstat(directory)).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('a path that the commit does not have, or that leaves it, is an error', async () => {
    await expect(make(['stacks/none'])).rejects.toMatchObject({
      code: 'NOT_FOUND',
      text: { details: { path: 'stacks/none' } },
    })
    await expect(make(['../x'])).rejects.toMatchObject({ code: 'PATH_OUTSIDE' })
  })
})

test('a directory in use is not touched; an empty one is used', async () => {
  const used = fresh()
  await mkdir(used)
  await writeFile(join(used, 'mine'), '1')
  const { repository } = fixture
  await expect(materialise(repository, commitOid, ['stacks/two'], used)).rejects.toMatchObject({ code: 'CONFLICT' })
  expect(await readdir(used)).toEqual(['mine'])
  const empty = fresh()
  await mkdir(empty)
  await materialise(repository, commitOid, ['stacks/two'], empty)
  expect(await readdir(empty)).toEqual(['stacks'])
})

test('a tar tells of links that lead out without being asked again', async () => {
  const directory = fresh()
  const { keptLinks } = await extract(archive(fixture.repository, commitOid, ['evil'], { keepLinks: true }), directory)
  expect(keptLinks.map(([path]) => path).toSorted()).toEqual(['evil/link', 'evil/through'])
  expect(await readdir(join(directory, 'evil'))).toEqual([])
})

test('the same workspace from the first and from a later look into a commit', async () => {
  const head = await fixture
    .commit('work', { 'stacks/two/main.tf': 'newer\n' }, { parent: commitOid })
    .catch(() => commitOid)
  for (let time = 0; time < 3; time++) {
    const directory = fresh()
    expect((await materialise(fixture.repository, head, ['stacks/two', 'modules'], directory)).files).toBe(2)
  }
})

describe('a tar that is not trusted', () => {
  const tarOf = (...entries: Parameters<ReturnType<typeof pack>['entry']>[]): Readable => {
    const tar = pack()
    for (const entry of entries) tar.entry(...entry)
    tar.finalize()
    return Readable.from(tar, { objectMode: false })
  }

  test.each([
    ['goes up', [[{ name: '../evil' }, 'x']]],
    ['is absolute', [[{ name: '/tmp/evil' }, 'x']]],
    ['writes into .git', [[{ name: 'a/.git/config' }, 'x']]],
    ['has a symlink that leads out', [[{ name: 'l', type: 'symlink', linkname: '../..' }]]],
    ['has a hard link', [[{ name: 'h', type: 'link', linkname: '/etc/passwd' }]]],
    ['tells of a link above', [[{ name: '../l', type: 'symlink', linkname: '/x', uname: 'kept-link' }]]],
    ['tells of a link to nowhere', [[{ name: 'l', type: 'symlink', linkname: '', uname: 'kept-link' }]]],
    ['has a device', [[{ name: 'd', type: 'character-device', devmajor: 1, devminor: 3 }]]],
  ] as [string, Parameters<ReturnType<typeof pack>['entry']>[]][])('%s', async (_name, entries) => {
    const directory = fresh()
    await expect(extract(tarOf([{ name: 'ok' }, 'fine'], ...entries), directory)).rejects.toMatchObject({
      code: 'PATH_OUTSIDE',
    })
    await expect(lstat(directory)).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test.each([
    [
      'a file twice',
      [
        [{ name: 'a' }, '1'],
        [{ name: 'a' }, '2'],
      ],
    ],
    [
      'a file and a link that leads out',
      [[{ name: 'l' }, '1'], [{ name: 'l', type: 'symlink', linkname: '/etc', uname: 'kept-link' }]],
    ],
    ['a symlink and a file below it', [[{ name: 'l', type: 'symlink', linkname: 'd' }], [{ name: 'l/x' }, '1']]],
    [
      'a file and a file below it',
      [
        [{ name: 'f' }, '1'],
        [{ name: 'f/x' }, '1'],
      ],
    ],
  ] as [string, Parameters<ReturnType<typeof pack>['entry']>[]][])('%s', async (_name, entries) => {
    await expect(extract(tarOf(...entries), fresh())).rejects.toMatchObject({ code: 'SOURCE_INVALID' })
  })

  test('cut off anywhere it is refused', async () => {
    const whole = await buffer(archive(fixture.repository, commitOid, ['stacks/two', 'modules']))
    for (const length of [0, 100, 512, 1024, 1536, whole.length - 1024]) {
      const directory = fresh()
      await expect(extract(Readable.from([whole.subarray(0, length)]), directory), `${length}`).rejects.toMatchObject({
        code: 'UNAVAILABLE',
      })
      await expect(lstat(directory)).rejects.toMatchObject({ code: 'ENOENT' })
    }
    const broken = createReadStream('/nonexistent/tar')
    await expect(extract(broken, fresh())).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    expect((await extract(Readable.from([whole]), fresh())).files).toBe(2)
  })

  test('equal workspaces give equal tars', async () => {
    const bytes = async () => await buffer(archive(fixture.repository, commitOid, ['stacks/one', 'modules']))
    expect((await bytes()).equals(await bytes())).toBe(true)
  })
})
