import { execFileSync, fork } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startGitChild } from './child-process.ts'
import { silentLogger } from '../lib/log.ts'
import { startGitService } from './service.ts'
import { eventually, isAlive, processesOf, startGitFixture, type GitFixture } from './testing/fixture.ts'

let fixture: GitFixture
beforeEach(async () => {
  fixture = await startGitFixture()
})
afterEach(() => fixture.close())

const childPids = (root: string): number[] => processesOf(root, 'child/main')

test('an argument of git is never a shell line', async () => {
  const result = await fixture.service.run(['rev-parse', '--sq-quote', '$(touch /tmp/x); `id`'])
  expect(result).toMatchObject({ exitCode: 0, stderr: '' })
  expect(result.stdout.toString()).toContain('$(touch /tmp/x)')
})

test('no configuration of the machine or the user counts', async () => {
  const { stdout } = await fixture.service.run(['config', '--list', '--show-origin'])
  expect(
    stdout
      .toString()
      .split('\n')
      .filter(Boolean)
      .every((line) => line.startsWith('command line:')),
  ).toBe(true)
})

test('time and output are bounded', async () => {
  const { service } = fixture
  await expect(
    service.run(['cat-file', '--batch'], { repository: 'repo_test', timeoutMs: 180_000, input: undefined }),
  ).resolves.toMatchObject({ exitCode: 0 })
  const slow = service.run(['-c', 'alias.slow=!sleep 30 & wait', 'slow'], { timeoutMs: 200 })
  await expect(slow).rejects.toMatchObject({ code: 'TIMED_OUT' })
  const flood = service.run(['-c', 'alias.flood=!yes', 'flood'], { maxOutputBytes: 100_000 })
  await expect(flood).rejects.toMatchObject({ code: 'TOO_LARGE' })
  const abort = new AbortController()
  const canceled = service.run(['-c', 'alias.slow=!sleep 30', 'slow'], { signal: abort.signal })
  setTimeout(() => abort.abort(), 100)
  await expect(canceled).rejects.toMatchObject({ code: 'CANCELED' })
  await expect(service.run(['no-such-command'])).resolves.toMatchObject({ exitCode: 1 })
})

test('when the child is killed reads are repeated, writes say that they may be repeated, and all goes on', async () => {
  const { repository, commit, service, root } = fixture
  const head = await commit('main', { a: '1' })
  const [pid] = childPids(root)
  const marker = join(fixture.directory, 'pid')
  const hanging = service.run(['-c', `alias.hang=!echo $$ > ${marker}; exec sleep 60`, 'hang'])
  const outcome = hanging.catch((error: unknown) => error)
  await eventually(async () => (await readFile(marker, 'utf8').catch(() => '')).includes('\n'))
  process.kill(pid!, 'SIGKILL')
  const reads = Promise.all(Array.from({ length: 20 }, () => repository.refs()))
  expect(await outcome).toMatchObject({ code: 'UNAVAILABLE', retryable: true })
  expect((await reads).every((refs) => refs.get('refs/heads/main') === head)).toBe(true)
  expect(childPids(root)).not.toContain(pid)
  // What the killed child had started is gone as well.
  await eventually(async () => !isAlive(Number(await readFile(marker, 'utf8'))))
  expect(await commit('main', { a: '2' })).not.toBe(head)
})

test('killed again and again, every call ends and the repository stays whole', async () => {
  const { repository, commit, root } = fixture
  await commit('main', { a: '0' })
  const acknowledged = new Map<string, string>()
  for (let round = 1; round <= 5; round++) {
    const writes = Array.from({ length: 4 }, async (_, index) => {
      const branch = `r${round}-${index}`
      const oid = await commit(branch, { a: branch }).catch(() => null)
      if (oid) acknowledged.set(`refs/heads/${branch}`, oid)
    })
    await eventually(() => childPids(root).length > 0)
    for (const pid of childPids(root)) process.kill(pid, 'SIGKILL')
    await Promise.all(writes)
  }
  const refs = await repository.refs()
  for (const [ref, oid] of acknowledged) expect(refs.get(ref), ref).toBe(oid)
  // Locks of the killed processes do not stand in the way.
  for (let round = 1; round <= 5; round++) await commit(`r${round}-0`, { a: 'after' })
  execFileSync('git', ['-C', repository.directory, 'fsck', '--strict'], { stdio: 'pipe' })
  // A write that comes upon a killed one's lock waits for the sweep, up to twelve seconds.
})

test('locks that an earlier process left are removed at the start, fresh ones are not', async () => {
  const { repository, commit, service, root } = fixture
  await commit('main', { a: '1' })
  await service.close()
  const old = join(repository.directory, 'refs/heads/main.lock')
  const incoming = join(repository.directory, 'objects/tmp_objdir-incoming-abc')
  await writeFile(old, '')
  await mkdir(incoming)
  const past = new Date(Date.now() - 60_000)
  await utimes(old, past, past)
  await utimes(incoming, past, past)
  const again = await startGitService({ root })
  try {
    const main = again.repository('repo_test')
    const head = (await main.resolve('main'))!
    await eventually(
      async () =>
        !(await readFile(old).then(
          () => true,
          () => false,
        )),
    )
    expect(await main.updateRef('refs/heads/main', head, head)).toBe(true)
  } finally {
    await again.close()
  }
})

test('closing ends everything, and the child does not outlive a killed parent', async () => {
  const { root, service } = fixture
  const [pid] = childPids(root)
  void service.run(['-c', 'alias.hang=!sleep 60', 'hang']).catch(() => null)
  await service.close()
  expect(isAlive(pid!)).toBe(false)

  const script = join(fixture.directory, 'parent.mjs')
  const other = join(fixture.directory, 'other')
  await writeFile(
    script,
    `const { startGitService } = await import(${JSON.stringify(new URL('./service.ts', import.meta.url).href)});
     await startGitService({ root: ${JSON.stringify(other)} }); process.send('up'); setInterval(() => {}, 1000)`,
  )
  const parent = fork(script)
  await new Promise((resolve) => parent.once('message', resolve))
  const [orphan] = childPids(other)
  expect(isAlive(orphan!)).toBe(true)
  parent.kill('SIGKILL')
  await eventually(() => !isAlive(orphan!))
})

test('a child that dies while it starts is replaced', async () => {
  const root = join(fixture.directory, 'starting')
  const starting = startGitService({ root })
  await eventually(() => childPids(root).length > 0)
  for (const pid of childPids(root)) process.kill(pid, 'SIGKILL')
  const service = await starting
  await service.repository('repo_first').init('main')
  expect(await service.repository('repo_first').defaultBranch()).toBe('main')
  await service.close()
})

test("what a killed service left in the temporary directory goes at the next start, and nobody else's", async () => {
  const root = join(fixture.directory, 'swept')
  const mine = async () => {
    const prefix = `trueup-git-${createHash('sha256').update(root).digest('hex').slice(0, 8)}-`
    return (await readdir(tmpdir())).filter((name) => name.startsWith(prefix))
  }
  const first = await startGitService({ root })
  const [left] = await mine()
  await first.close()
  expect(await mine()).toEqual([])
  await mkdir(join(tmpdir(), left!))
  const second = await startGitService({ root })
  expect(await mine()).not.toContain(left)
  expect(await fixture.service.run(['version'])).toMatchObject({ exitCode: 0 })
  await second.close()
})

test('a git that does not work is said plainly', async () => {
  const runtimeDirectory = await mkdtemp(join(tmpdir(), 'trueup-git-none-'))
  // The usual directories are looked through whatever the PATH is, so none at all cannot be shown here.
  await writeFile(join(runtimeDirectory, 'git'), '#!/bin/sh\nexit 127\n', { mode: 0o755 })
  const path = process.env['PATH']
  process.env['PATH'] = runtimeDirectory
  try {
    const settings = { root: fixture.root, hooksPath: join(fixture.root, '.hooks'), runtimeDirectory }
    await expect(startGitChild(settings, silentLogger, () => Promise.resolve())).rejects.toMatchObject({
      code: 'TOOL_MISSING',
    })
  } finally {
    process.env['PATH'] = path
    await rm(runtimeDirectory, { recursive: true })
  }
})

test('a git that is too old is said at the start', async () => {
  const runtimeDirectory = await mkdtemp(join(tmpdir(), 'trueup-git-old-'))
  await writeFile(join(runtimeDirectory, 'git'), '#!/bin/sh\necho "git version 2.20.1"\n', { mode: 0o755 })
  const path = process.env['PATH']
  process.env['PATH'] = runtimeDirectory
  try {
    const settings = { root: fixture.root, hooksPath: join(fixture.root, '.hooks'), runtimeDirectory }
    await expect(startGitChild(settings, silentLogger, () => Promise.resolve())).rejects.toMatchObject({
      code: 'TOOL_VERSION',
      message: expect.stringContaining('2.20.1'),
    })
  } finally {
    process.env['PATH'] = path
    await rm(runtimeDirectory, { recursive: true })
  }
})

test('a TMPDIR with a long name is no obstacle; one that cannot be written to is named', async () => {
  const before = process.env['TMPDIR']
  const long = join(fixture.directory, 'x'.repeat(100))
  await mkdir(long)
  try {
    process.env['TMPDIR'] = long
    const service = await startGitService({ root: join(fixture.directory, 'long') })
    expect(await service.run(['--version'])).toMatchObject({ exitCode: 0 })
    await service.close()
    process.env['TMPDIR'] = join(fixture.directory, 'none')
    await expect(startGitService({ root: join(fixture.directory, 'none-root') })).rejects.toMatchObject({
      code: 'DATA_UNWRITABLE',
      message: expect.stringContaining(join(fixture.directory, 'none')),
    })
  } finally {
    if (before === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = before
  }
})

test('ids that could be paths are refused', () => {
  for (const id of ['../x', 'a/b', '.hooks', '', 'a.git', '-x']) {
    expect(() => fixture.service.repository(id), id).toThrow(expect.objectContaining({ code: 'INVALID_REQUEST' }))
  }
})
