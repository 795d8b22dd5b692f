import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { chmod, mkdir, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import type { Watch } from '../../driver.ts'
import { filesDriver } from '../index.ts'
import { deploy, type FilesTest, filesTest } from '../testing/stack.ts'

let context: FilesTest
let watch: Watch | undefined
let seen: string[] = []

async function start(options: Parameters<typeof filesTest>[0], deployed = true): Promise<void> {
  seen = []
  context = await filesTest({ files: { 'stack/a': 'a\n', 'stack/d/b': 'b\n', 'stack/l': { link: 'a' } }, ...options })
  if (deployed) await deploy(context)
  watch = await filesDriver.watch?.(await context.next(), (addresses) => seen.push(...addresses))
}

afterEach(async () => {
  await watch?.close()
  await context.remove()
})

/** Does something on the host and waits until its path is reported. */
async function reported(path: string, act: () => Promise<unknown>): Promise<void> {
  seen = []
  await act()
  await vi.waitFor(() => expect(seen).toContain(path === '' ? context.target : join(context.target, path)), {
    timeout: 20_000,
    interval: 2,
  })
}

const host = (path: string): string => join(context.target, path)

test('edits, rename-over, chmod, removal and link swaps are reported, again and again', async () => {
  await start({})
  for (let round = 0; round < 3; round++) {
    await reported('a', () => writeFile(host('a'), `edit ${round}\n`))
    await reported('d/b', async () => {
      await writeFile(host('d/b.new'), 'x')
      await rename(host('d/b.new'), host('d/b'))
    })
    await reported('d/b', () => chmod(host('d/b'), 0o600 + round))
    await reported('d/b', () => unlink(host('d/b')))
    await reported('l', async () => {
      await symlink(`elsewhere${round}`, host('l.new'))
      await rename(host('l.new'), host('l'))
    })
  }
})

test('a directory that is removed, made again or swapped goes on being watched', async () => {
  await start({})
  for (let round = 0; round < 3; round++) {
    await reported('d', () => rm(host('d'), { recursive: true }))
    await reported('d', () => mkdir(host('d')))
    await reported('d/b', () => writeFile(host('d/b'), 'new\n'))
    await reported('d', async () => {
      await mkdir(host('other'))
      await rename(host('d'), host(`old${round}`))
      await rename(host('other'), host('d'))
    })
    await reported('d/b', () => writeFile(host('d/b'), 'newer\n'))
  }
})

test('a target that does not exist yet, and one that goes and comes back, are watched', async () => {
  await start({ missingTarget: true, config: {} }, false)
  for (let round = 0; round < 2; round++) {
    await reported('', () => mkdir(context.target))
    await reported('a', () => writeFile(host('a'), 'x'))
    await reported('', () => rm(context.target, { recursive: true }))
  }
})

test('a target that is a link is watched where it leads, and when it is pointed elsewhere', async () => {
  context = await filesTest({
    files: { 'stack/a': 'a\n', 'stack/d/b': 'b\n' },
    config: { followTargetSymlink: true },
    missingTarget: true,
  })
  const release = (name: string) => join(context.root, name)
  await mkdir(release('one'))
  await mkdir(release('two/d'), { recursive: true })
  await symlink('one', context.target)
  await deploy(context)
  watch = await filesDriver.watch?.(await context.next(), (addresses) => seen.push(...addresses))
  await reported('d/b', () => writeFile(host('d/b'), 'tampered'))
  await symlink('two', release('new'))
  await reported('', () => rename(release('new'), context.target))
  await reported('a', () => writeFile(host('a'), 'a\n'))
  await reported('d/b', () => writeFile(host('d/b'), 'b\n'))
})

test('a target below directories that do not exist yet is found when all of them come at once', async () => {
  context = await filesTest({ missingTarget: true, files: { 'stack/a': 'x\n' } })
  const target = join(context.target, 'p/q')
  seen = []
  watch = await filesDriver.watch?.(await context.next({ config: { ...context.config, target } }), (paths) =>
    seen.push(...paths),
  )
  await mkdir(target, { recursive: true })
  await vi.waitFor(() => expect(seen).toContain(target), 180_000)
  seen = []
  await writeFile(join(target, 'a'), 'x')
  await vi.waitFor(() => expect(seen).toContain(join(target, 'a')), 180_000)
})

test('only what is managed is reported, unless the rest is pruned', async () => {
  await start({})
  await writeFile(host('theirs'), 'x')
  await reported('a', () => writeFile(host('a'), 'x'))
  expect(seen).not.toContain(host('theirs'))
  await watch?.close()
  await context.remove()

  await start({ config: { prune: 'all', exclude: ['cache/'] } })
  await reported('theirs', () => writeFile(host('theirs'), 'x'))
  await reported('new', () => mkdir(host('new/deep'), { recursive: true }))
  await reported('new/deep/file', () => writeFile(host('new/deep/file'), 'x'))
  await mkdir(host('cache'))
  await writeFile(host('cache/x'), 'x')
  await reported('a', () => writeFile(host('a'), 'x'))
  expect(seen.filter((path) => path.includes('/cache/'))).toEqual([])
})

test('a burst of writes comes as few events', async () => {
  await start({})
  let calls = 0
  await watch?.close()
  watch = await filesDriver.watch?.(await context.next(), () => calls++)
  // Without a pause, or a slow machine would make many small bursts of it.
  for (let i = 0; i < 200; i++) writeFileSync(host('a'), `edit ${i}\n`)
  await vi.waitFor(() => expect(calls).toBeGreaterThan(0), 180_000)
  expect(calls).toBeLessThan(50)
})

test('after closing nothing is reported', async () => {
  await start({})
  await watch?.close()
  await writeFile(host('a'), 'x')
  const other = await filesDriver.watch?.(await context.next(), () => seen.push('other'))
  await writeFile(host('a'), 'y')
  await vi.waitFor(() => expect(seen).toContain('other'), 180_000)
  expect(seen).not.toContain(host('a'))
  await other?.close()
})

test.skipIf(spawnSync('unshare', ['-Ur', 'test', '-w', '/proc/sys/user/max_inotify_watches']).status !== 0)(
  'unshare with user namespaces: without watches it polls, and says so',
  async () => {
    context = await filesTest({ files: { 'stack/a': 'a\n', 'stack/d/b': 'b\n', 'stack/e/c': 'c\n' } })
    await deploy(context)
    const program = new URL('../testing/watch-program.ts', import.meta.url).pathname
    const limited = `echo 2 >/proc/sys/user/max_inotify_watches && exec "$0" "$@"`
    const argv = ['-Ur', 'sh', '-c', limited, process.execPath, program, context.directory, context.target]
    const result = spawnSync('unshare', argv, { encoding: 'utf8', timeout: 20_000 })
    expect(result.stderr).toBe('')
    const { findings, addresses } = JSON.parse(result.stdout) as { findings: unknown; addresses: string[] }
    expect(findings).toMatchObject([{ code: 'watch-limit' }])
    expect(addresses).toContain(host('e/c'))
  },
)
