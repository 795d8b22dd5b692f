import { mkdir, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { TrueupError } from '../../lib/errors/error.ts'
import { type BackupResult, checkDatabase, listIfThere } from './backup.ts'
import { restoreFile } from './copy.ts'
import { BackupManifest, MANIFEST_FILE } from './manifest.ts'
import { syncDirectory } from '../../lib/durable-file.ts'
import { AUDIT_DIRECTORY } from '../audit/archive-file.ts'
import { KEYS_DIRECTORY } from '../database/keys.ts'
import { LOCK_FILES, lockDataDirectory } from '../database/lock.ts'
import { asStoreError } from '../database/sqlite/errors.ts'
import { DATABASE_FILE, REPOSITORIES_DIRECTORY } from '../store.ts'

/** A restore works in here, inside the data directory (which may be a mount point) until everything is checked. */
const STAGING = 'restore.partial'

/** The database last: without it, the directory is no data directory yet. */
const PARTS = [KEYS_DIRECTORY, AUDIT_DIRECTORY, REPOSITORIES_DIRECTORY, DATABASE_FILE]

/**
 * Puts a backup (see `backupStore`) into a data directory, which must not exist or be empty. Every file is compared with
 * the manifest and the database is checked before anything gets its name; an interrupted restore is noticed at the next
 * start and may be repeated. Errors: DATA_CORRUPT (the backup is damaged), CONFLICT (not empty), DATA_LOCKED (a server
 * lives there), DATA_UNWRITABLE.
 */
export async function restoreStore(backupDir: string, dataDir: string): Promise<Omit<BackupResult, 'target'>> {
  const doing = `restoring ${backupDir} into ${dataDir}`
  const manifest = await readManifest(backupDir, doing)
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 })
    const lock = await lockDataDirectory(dataDir)
    try {
      await clearGround(dataDir, doing)
      await fill(backupDir, join(dataDir, STAGING), manifest, doing)
      for (const part of PARTS) await rename(join(dataDir, STAGING, part), join(dataDir, part))
      await syncDirectory(dataDir)
      await rm(join(dataDir, STAGING), { recursive: true })
      await syncDirectory(dataDir)
    } finally {
      lock.release()
    }
  } catch (error) {
    throw asStoreError(error, doing, dataDir)
  }
  const { files, damaged } = manifest
  return { files: files.length, bytes: files.reduce((sum, file) => sum + file.size, 0), damaged }
}

/** Refuses to open a data directory whose restore did not come to its end. */
export async function refuseInterruptedRestore(dataDir: string): Promise<void> {
  if (!(await listIfThere(dataDir))?.includes(STAGING)) return
  throw new TrueupError('DATA_CORRUPT', {
    doing: `opening the data directory ${dataDir}`,
    why: 'a restore into it was interrupted',
    next: 'Run `trueup restore` with the same backup again.',
  })
}

async function readManifest(backupDir: string, doing: string): Promise<BackupManifest> {
  const file = join(backupDir, MANIFEST_FILE)
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new TrueupError('NOT_FOUND', {
      doing,
      why: `${file} cannot be read`,
      next: 'Name the backup directory.',
      cause,
    })
  })
  let manifest: BackupManifest
  try {
    manifest = BackupManifest.parse(JSON.parse(text))
  } catch (cause) {
    throw damaged(doing, `${file} is not a manifest of a backup`, cause)
  }
  if (!manifest.files.some((listed) => listed.path === DATABASE_FILE))
    throw damaged(doing, `${file} lists no ${DATABASE_FILE}`)
  return manifest
}

/** Only the lock, and what an interrupted restore left, may be there. */
async function clearGround(dataDir: string, doing: string): Promise<void> {
  const locks: readonly string[] = LOCK_FILES
  const there = ((await listIfThere(dataDir)) ?? []).filter((name) => !locks.includes(name))
  const leftovers = there.includes(STAGING) ? [...PARTS, STAGING] : []
  const foreign = there.filter((name) => !leftovers.includes(name))
  if (foreign.length > 0)
    throw new TrueupError('CONFLICT', {
      doing,
      why: `the data directory is not empty: it holds ${foreign.slice(0, 3).join(', ')}`,
      next: 'Restore into a new directory, or move the old one away.',
    })
  // The mark of the interrupted restore goes last.
  for (const name of leftovers) await rm(join(dataDir, name), { recursive: true, force: true })
}

async function fill(backupDir: string, staging: string, manifest: BackupManifest, doing: string): Promise<void> {
  await mkdir(staging, { mode: 0o700 })
  try {
    for (const part of [KEYS_DIRECTORY, AUDIT_DIRECTORY, REPOSITORIES_DIRECTORY])
      await mkdir(join(staging, part), { mode: 0o700 })
    for (const directory of manifest.directories)
      await mkdir(join(staging, directory), { recursive: true, mode: 0o700 })
    for (const file of manifest.files)
      if (!(await restoreFile(backupDir, staging, file).catch(nothingThere)))
        throw damaged(doing, `${file.path} is missing or is not what was backed up`)
    checkDatabase(join(staging, DATABASE_FILE))
    for (const directory of directoriesOf(manifest)) await syncDirectory(join(staging, directory))
  } catch (error) {
    await rm(staging, { recursive: true, force: true })
    throw error
  }
}

/** Every directory that a restore makes, `.` among them: their names must be on the disk before the whole gets its own. */
function directoriesOf({ directories, files }: BackupManifest): Set<string> {
  const all = new Set(['.', KEYS_DIRECTORY, AUDIT_DIRECTORY, REPOSITORIES_DIRECTORY])
  for (const path of [...directories, ...files.map((file) => dirname(file.path))])
    for (let at = path; at !== '.'; at = dirname(at)) all.add(at)
  return all
}

const nothingThere = (error: NodeJS.ErrnoException): undefined => {
  if (error.code !== 'ENOENT') throw error
}

const damaged = (doing: string, why: string, cause?: unknown): TrueupError =>
  new TrueupError('DATA_CORRUPT', { doing, why, next: 'Use another backup.', cause })
