import { existsSync } from 'node:fs'
import { readFile, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { HashCache } from './cache.ts'
import { bytesId } from './content.ts'
import { lookAt, type Status } from './live.ts'
import { filesDriver } from '../index.ts'
import { deploy, type FilesTest, filesTest } from '../testing/stack.ts'

let context: FilesTest
afterEach(async () => {
  vi.unstubAllEnvs()
  await context.remove()
})

const status = (path: string): Status => {
  const live = lookAt(path)
  if (live.kind !== 'file') throw new Error(live.kind)
  return live.status
}
const day = 86_400_000
const load = (now: number, auditEveryMs = day): HashCache =>
  HashCache.load(join(context.cache, 'live-ids.json'), context.target, 'sha256', auditEveryMs, now)

test('an id is kept while the stat data is, and forgotten with any change', async () => {
  context = await filesTest({})
  const file = join(context.target, 'a')
  await writeFile(file, 'one')
  const later = Date.now() + 10_000
  const cache = load(later)
  cache.set('a', status(file), 'id', later)
  cache.save()
  expect(load(later).get('a', status(file))).toBe('id')
  await writeFile(file, 'two')
  expect(load(later).get('a', status(file))).toBeUndefined()
})

test('a file that changed just before it was hashed is hashed again: its clock may not tell the next change', async () => {
  context = await filesTest({})
  const file = join(context.target, 'a')
  await writeFile(file, 'one')
  const cache = load(Date.now())
  cache.set('a', status(file), 'id', Date.now())
  cache.save()
  expect(load(Date.now()).get('a', status(file))).toBeUndefined()
})

test('setting the mtime back does not hide a change', async () => {
  context = await filesTest({ files: { 'stack/a': 'aaaa\n' } })
  await deploy(context)
  await utimes(join(context.target, 'a'), 1000, 1000)
  await filesDriver.plan(await context.next())
  await writeFile(join(context.target, 'a'), 'bbbb\n')
  await utimes(join(context.target, 'a'), 1000, 1000)
  expect((await filesDriver.plan(await context.next())).changes).toHaveLength(1)
})

test('the full audit comes due, also after the clock went back, and for another target or format', async () => {
  context = await filesTest({})
  const file = join(context.target, 'a')
  await writeFile(file, 'one')
  const now = Date.now() + 10_000
  const cache = load(now)
  cache.set('a', status(file), 'id', now)
  cache.save()
  const known = (found: HashCache): boolean => found.get('a', status(file)) === 'id'
  expect(known(load(now + day - 1))).toBe(true)
  expect(known(load(now + day))).toBe(false)
  expect(known(load(now - 1))).toBe(false)
  expect(known(load(now, 0))).toBe(false)
  expect(known(HashCache.load(join(context.cache, 'live-ids.json'), '/other', 'sha256', day, now))).toBe(false)
  expect(known(HashCache.load(join(context.cache, 'live-ids.json'), context.target, 'sha1', day, now))).toBe(false)
})

test('a damaged cache is no cache', async () => {
  context = await filesTest({ files: { 'stack/a': 'x\n' } })
  await deploy(context)
  const file = join(context.cache, 'live-ids.json')
  const good = JSON.parse(await readFile(file, 'utf8').catch(() => '{}')) as object
  for (const bad of [
    '',
    '{',
    '[]',
    JSON.stringify({ ...good, version: 1, paths: [5] }),
    '{"version":1,"entries":[[1]]}',
  ]) {
    await writeFile(file, bad)
    expect((await filesDriver.plan(await context.next())).changes).toEqual([])
  }
})

test('ten thousand files in sync are seen to be in sync, with and without the cache and with ids from Git', async () => {
  // Ten thousand files made and removed take a minute on some ext4 kernels.
  if (existsSync('/dev/shm')) vi.stubEnv('TMPDIR', '/dev/shm')
  const files = Object.fromEntries(
    Array.from({ length: 10_000 }, (_, i) => [`stack/d${i % 100}/f${i}`, `file ${i}\n`.repeat(100)]),
  )
  context = await filesTest({ files })
  const { plan, result } = await deploy(context)
  expect(result.status).toBe('applied')
  expect(plan.coverage.checked).toBe(10_101)
  // What a first deployment shows stays storable.
  expect(JSON.stringify(plan).length).toBeLessThan(10 * 1024 * 1024)
  const blobs = new Map(Object.entries(files).map(([path, content]) => [path, bytesId(Buffer.from(content), 'sha1')]))
  for (const given of [{}, {}, { blobs }, { blobs }]) {
    const again = await filesDriver.plan(await context.next(given))
    expect(again.changes).toEqual([])
    expect(again.coverage).toEqual({ checked: 10_101, unchecked: [] })
  }
  await writeFile(join(context.target, 'd7/f107'), 'file 107\n'.repeat(99) + 'file 108\n')
  const drift = await filesDriver.plan(await context.next())
  expect(drift.changes.map(({ address }) => address)).toEqual([join(context.target, 'd7/f107')])
})
