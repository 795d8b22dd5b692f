import { execFile } from 'node:child_process'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { expect, it, onTestFinished } from 'vitest'
import { appendAudit } from '../audit/audit.ts'
import { signCheckpoint, verifyAudit } from '../audit/verify.ts'
import { backupStore } from './backup.ts'
import { refusal } from '../conformance/bench.ts'
import { openKeys } from '../database/keys.ts'
import { openStore } from '../open.ts'
import { restoreStore } from './restore.ts'
import { temporaryDirectory } from '../testing/directory.ts'
import { startChild } from '../testing/process.ts'

const run = promisify(execFile)
const git = async (cwd: string, ...args: string[]) => (await run('git', args, { cwd })).stdout.trim()
const identity = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.org']

/** A data directory in use: store open, keys made, one bare repository with a commit whose refs are packed. */
async function inUse() {
  const root = await temporaryDirectory()
  const dataDir = join(root, 'data')
  const store = await openStore(dataDir)
  let open = true
  const close = async () => {
    if (open) await store.close()
    open = false
  }
  onTestFinished(close)
  const keys = await openKeys(dataDir, store.db)
  await store.transaction(async (tx) => {
    await appendAudit(tx, { actor: 'system', action: 'test.begin', subject: 'x' })
    await signCheckpoint(tx, keys)
  })
  const bare = join(dataDir, 'repositories', 'repo_1.git')
  await mkdir(bare, { recursive: true })
  await git(bare, 'init', '--quiet', '--bare', '--initial-branch=main')
  const work = join(root, 'work')
  await git(root, 'clone', '--quiet', bare, work)
  const push = async (n: number) => {
    await writeFile(join(work, 'file'), `${n}\n`)
    await git(work, 'add', '.')
    await git(work, ...identity, 'commit', '--quiet', '-m', `Change ${n}`)
    await git(work, 'push', '--quiet', 'origin', 'HEAD:main', `HEAD:refs/heads/tmp_${n % 3}`)
  }
  await push(0)
  await git(bare, 'gc', '--quiet')
  return { root, dataDir, store, keys, bare, push, close, backup: join(root, 'backup') }
}

it('brings everything back: rows, keys, repositories', async () => {
  const { root, dataDir, keys, bare, backup } = await inUse()
  const sealed = keys.seal(Buffer.from('secret'), 'c')
  const made = await backupStore(dataDir, backup)
  expect(made.files).toBeGreaterThan(5)
  expect((await readdir(backup)).sort()).toEqual(['keys', 'manifest.json', 'repositories', 'trueup.db'])

  const restoredDir = join(root, 'restored')
  expect(await restoreStore(backup, restoredDir)).toEqual({ files: made.files, bytes: made.bytes, damaged: [] })
  const restored = await openStore(restoredDir)
  onTestFinished(() => restored.close())
  const restoredKeys = await openKeys(restoredDir, restored.db)
  expect(restoredKeys.open(sealed, 'c').toString()).toBe('secret')
  expect(await verifyAudit(restored.db, { keys: restoredKeys })).toMatchObject({ ok: true, count: 1, checkpoints: 1 })
  const restoredBare = join(restoredDir, 'repositories', 'repo_1.git')
  await git(restoredBare, 'fsck', '--strict')
  expect(await git(restoredBare, 'for-each-ref')).toBe(await git(bare, 'for-each-ref'))
})

it('is consistent while rows are written and commits are pushed, repacked and branches deleted', {
  timeout: 300_000,
}, async () => {
  const { root, dataDir, store, bare, push } = await inUse()
  let going = true
  const rows = (async () => {
    while (going) {
      const data = { padding: 'x'.repeat(500) }
      await store.transaction((tx) => appendAudit(tx, { actor: 'system', action: 'test.go', subject: 'y', data }))
      // Leaves the event loop, which the copying needs for every file, some of its time.
      await pause(2)
    }
  })()
  const pushes = (async () => {
    for (let n = 1; going; n++) {
      await push(n)
      if (n % 4 === 0) await git(bare, 'repack', '-adq')
      if (n % 5 === 0) await git(bare, 'pack-refs', '--all')
      if (n % 3 === 0) await git(bare, 'update-ref', '-d', 'refs/heads/tmp_0')
    }
  })()
  try {
    for (let round = 0; round < 6; round++) {
      const backup = join(root, `backup-${round}`)
      const before = await verifyAudit(store.db)
      await backupStore(dataDir, backup)
      const restoredDir = join(root, `restored-${round}`)
      await restoreStore(backup, restoredDir)
      await git(join(restoredDir, 'repositories', 'repo_1.git'), 'fsck', '--strict', '--connectivity-only')
      const restored = await openStore(restoredDir)
      const verdict = await verifyAudit(restored.db)
      await restored.close()
      expect(verdict.ok).toBe(true)
      expect(verdict.count).toBeGreaterThanOrEqual(before.count)
    }
  } finally {
    going = false
    await Promise.all([rows, pushes])
  }
})

it('does not touch a target that is in use, and leaves nothing behind when it stops', async () => {
  const { root, dataDir, backup } = await inUse()
  await mkdir(backup)
  await writeFile(join(backup, 'precious'), '')
  await refusal(backupStore(dataDir, backup), 'CONFLICT')
  await refusal(backupStore(join(root, 'work'), join(root, 'other')), 'NOT_FOUND')
  await rm(join(dataDir, 'keys', 'data.key'))
  await mkdir(join(dataDir, 'keys', 'data.key'))
  await expect(backupStore(dataDir, join(root, 'other'))).rejects.toThrow()
  expect((await readdir(root)).sort()).toEqual(['backup', 'data', 'work'])
})

it('leaves repositories out that are being made', async () => {
  const { dataDir, backup } = await inUse()
  await mkdir(join(dataDir, 'repositories', '.new-repo_2', 'refs'), { recursive: true })
  await backupStore(dataDir, backup)
  expect(await readdir(join(backup, 'repositories'))).toEqual(['repo_1.git'])
})

it('restores into nothing but an empty directory', async () => {
  const { root, dataDir, backup, close } = await inUse()
  await backupStore(dataDir, backup)
  const refused = await refusal(restoreStore(backup, dataDir), 'DATA_LOCKED')
  expect(refused.text.why).toContain(`process ${process.pid}`)
  await close()
  await refusal(restoreStore(backup, dataDir), 'CONFLICT')
  await (await openStore(dataDir)).close()
  await refusal(restoreStore(join(root, 'work'), join(root, 'new')), 'NOT_FOUND')
})

it('refuses a backup that is damaged in any part, and puts nothing in place', async () => {
  const { root, dataDir, backup } = await inUse()
  await backupStore(dataDir, backup)
  const target = join(root, 'restored')
  const manifestFile = join(backup, 'manifest.json')
  const manifest = await readFile(manifestFile, 'utf8')
  const parsed = JSON.parse(manifest) as { files: { path: string }[] }
  const attempt = async () => {
    await refusal(restoreStore(backup, target), 'DATA_CORRUPT')
    expect((await readdir(target).catch(() => [])).filter((name) => !name.startsWith('lock.'))).toEqual([])
  }
  for (const path of [
    'keys/data.key',
    'trueup.db',
    parsed.files.find((file) => file.path.endsWith('.pack'))?.path ?? '',
  ]) {
    const content = await readFile(join(backup, path))
    const changed = Buffer.from(content)
    changed[changed.length >> 1] = (changed[changed.length >> 1] ?? 0) ^ 1
    await rm(join(backup, path), { force: true })
    await writeFile(join(backup, path), changed)
    await attempt()
    await rm(join(backup, path))
    await attempt()
    await writeFile(join(backup, path), content)
  }
  for (const bad of [
    manifest.slice(0, -20),
    manifest.replace('"keys/data.key"', '"../data.key"'),
    manifest.replace('"format": 1', '"format": 2'),
    '{}',
  ]) {
    await writeFile(manifestFile, bad)
    await attempt()
  }
  await writeFile(manifestFile, manifest)
  await restoreStore(backup, target)
})

it('can be repeated after a kill at any moment, and is noticed until then', { timeout: 300_000 }, async () => {
  const { root, dataDir, backup } = await inUse()
  await backupStore(dataDir, backup)
  let refusals = 0
  for (let round = 0; round < 10; round++) {
    const target = join(root, `restored-${round}`)
    const child = startChild(['restore', target, backup])
    await child.hears('started')
    const listed = () => readdir(target).catch((): string[] => [])
    // Half of the kills hit while files are being put down, the others whenever they do.
    if (round % 2) while (!(await listed()).includes('restore.partial') && !child.said[1]) await pause(1)
    else await pause(round * 10)
    await child.kill()
    const names = await listed()
    if (names.includes('restore.partial')) {
      await refusal(openStore(target), 'DATA_CORRUPT')
      refusals++
    }
    if (!names.includes('trueup.db') || names.includes('restore.partial')) await restoreStore(backup, target)
    const restored = await openStore(target)
    expect(await verifyAudit(restored.db)).toMatchObject({ ok: true, count: 1 })
    await restored.close()
  }
  expect(refusals).toBeGreaterThan(0)
})
