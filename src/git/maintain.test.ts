import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, globSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { sweepRepository } from './child/sweep.ts'
import { ADA, startGitFixture, userGitOk, type GitFixture } from './testing/fixture.ts'

const COMMITS = 90

// Making files after many were removed takes a millisecond each on some file systems.
vi.setConfig({ testTimeout: 300_000 })

let fixture: GitFixture
beforeAll(async () => {
  fixture = await startGitFixture()
})
afterAll(() => fixture.close())

/** Commits of one file each, as loose objects, as if each had come by a push of its own. */
async function importLoose(branch: string, count: number): Promise<void> {
  const parts = Array.from({ length: count }, (_, at) => {
    const text = `${branch} ${at}\n`
    return `commit refs/heads/${branch}\ncommitter A <a@example.test> ${1_700_000_000 + at} +0000\ndata ${text.length}\n${text}M 100644 inline d${at % 20}/f${at}\ndata ${text.length}\n${text}\n`
  })
  const argv = ['-c', 'fastimport.unpackLimit=1000000', 'fast-import', '--quiet']
  const child = spawn('git', argv, { cwd: fixture.repository.directory, stdio: ['pipe', 'ignore', 'inherit'] })
  child.stdin.end(`${parts.join('')}done\n`)
  const [code] = await once(child, 'close')
  expect(code).toBe(0)
}

const git = (...argv: string[]) => userGitOk(fixture.repository.directory, ...argv)
/** Kilobytes, as git counts them. */
const sizes = async (): Promise<{ [name: string]: number }> =>
  Object.fromEntries(
    (await git('count-objects', '-v')).split('\n').map((line) => [line.split(': ')[0]!, Number(line.split(': ')[1])]),
  )
const objects = async () =>
  (await git('cat-file', '--batch-all-objects', '--batch-check', '--unordered')).split('\n').toSorted()
const loose = () => globSync('objects/[0-9a-f][0-9a-f]/*', { cwd: fixture.repository.directory }).length

test('packing gains room and loses nothing, also of what no ref reaches', async () => {
  const { repository } = fixture
  await importLoose('one', COMMITS)
  const files = [{ path: 'unreached', content: Buffer.from('approved once') }]
  const unreached = await repository.commitFiles({ parent: null, message: 'Left', author: ADA, files })
  const before = await objects()
  const { size: unpacked } = await sizes()
  expect(loose()).toBeGreaterThan(COMMITS * 3)
  expect(await repository.maintain()).toBe(true)
  expect(loose()).toBe(0)
  expect(await objects()).toEqual(before)
  expect(await repository.resolve(unreached)).toBe(unreached)
  await git('fsck', '--full')
  for (const index of ['objects/pack/multi-pack-index', 'objects/info/commit-graphs', 'packed-refs'])
    expect(existsSync(join(repository.directory, index)), index).toBe(true)
  expect((await sizes())['size-pack']).toBeLessThan(unpacked! / 10)
})

test('packs what is new, and nothing where there is little', async () => {
  const { repository } = fixture
  expect(await repository.maintain()).toBe(false)
  await importLoose('two', 84)
  expect(await repository.maintain()).toBe(true)
  expect(loose()).toBe(0)
})

test('waits while a push is received', async () => {
  const { repository } = fixture
  await importLoose('three', 90)
  const incoming = join(repository.directory, 'objects', 'tmp_objdir-incoming-x')
  mkdirSync(incoming)
  expect(await repository.maintain()).toBe(false)
  rmSync(incoming, { recursive: true })
  expect(await repository.maintain()).toBe(true)
})

test('killed in the middle, nothing is lost and the next one goes on', async () => {
  const { repository } = fixture
  await importLoose('four', 90)
  const before = await objects()
  const argv = ['repack', '--geometric=2', '-d', '--write-midx', '--quiet']
  const child = spawn('git', argv, { cwd: repository.directory, detached: true, stdio: 'ignore' })
  const ended = once(child, 'close')
  const begun = () => globSync('objects/pack/{tmp_,.tmp-}*', { cwd: repository.directory }).length > 0
  while (child.exitCode === null && !begun()) await new Promise((resolve) => setImmediate(resolve))
  if (child.exitCode === null) process.kill(-child.pid!, 'SIGKILL')
  await ended
  expect(await objects()).toEqual(before)
  await sweepRepository(repository.directory, 0)
  expect(begun()).toBe(false)
  await importLoose('five', 90)
  expect(await repository.maintain()).toBe(true)
  await git('fsck', '--full')
})
