import { randomBytes } from 'node:crypto'
import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { backup, DatabaseSync } from 'node:sqlite'
import { TrueupError } from '../../lib/errors/error.ts'
import { AUDIT_DIRECTORY } from '../audit/archive-file.ts'
import { type CopiedTree, copyFile, copyRepository, gone } from './copy.ts'
import { damagedRepositories, refuseWithoutKeys } from './contents.ts'
import { type BackupFile, type BackupManifest, type DamagedRepository, MANIFEST_FILE } from './manifest.ts'
import { syncDirectory, writeDurably } from '../../lib/durable-file.ts'
import { KEYS_DIRECTORY } from '../database/keys.ts'
import { elsewhereOf } from '../elsewhere.ts'
import { asStoreError } from '../database/sqlite/errors.ts'
import { copySnapshot } from '../move/snapshot.ts'
import { DATABASE_FILE, REPOSITORIES_DIRECTORY } from '../store.ts'

export interface BackupResult {
  /** The backup's directory. */
  target: string
  files: number
  bytes: number
  /** Repositories that are damaged, and so are only partly in it. */
  damaged: DamagedRepository[]
}

export interface BackupOptions {
  /** Address of the PostgreSQL database that the rows are in; a backup holds them as an embedded one. */
  database?: string
  now?: number
}

/**
 * Writes a consistent copy of a data directory (database, repositories, keys) to the directory `target`, which must not
 * exist or be empty. Safe while a server uses the data: the database is read in one snapshot first and Git after it, so
 * that the refs are never older than the database, which `ref` reconciliation at start-up expects. The result appears
 * under its name only when it is whole and on the disk; a repository that is damaged is marked in it. It holds the keys: keep it as safe as the data directory.
 * Errors: NOT_FOUND (no database there), CONFLICT (target in use, rows elsewhere), DATA_UNWRITABLE, DATA_CORRUPT.
 */
export async function backupStore(
  dataDir: string,
  target: string,
  { database, now = Date.now() }: BackupOptions = {},
): Promise<BackupResult> {
  const doing = `backing ${dataDir} up to ${target}`
  if (((await listIfThere(target)) ?? []).length > 0)
    throw new TrueupError('CONFLICT', { doing, why: 'the target is not empty', next: 'Name a new directory.' })
  const place = await elsewhereOf(dataDir)
  if (place !== null && database === undefined)
    throw new TrueupError('CONFLICT', {
      doing,
      why: `its rows are in ${place}`,
      next: 'Name that database: --database, or TRUEUP_DATABASE.',
    })
  if (database === undefined && !(await listIfThere(dataDir))?.includes(DATABASE_FILE))
    throw new TrueupError('NOT_FOUND', { doing, why: 'there is no Trueup database', next: 'Check --data.' })
  const staging = join(dirname(target), `.${basename(target)}.${randomBytes(4).toString('hex')}.partial`)
  try {
    await mkdir(staging, { recursive: true, mode: 0o700 })
    const rows = await copyDatabase(dataDir, staging, database)
    const keys = await copyPlain(dataDir, staging, KEYS_DIRECTORY)
    // After the database: what left it before is there, and what leaves it later is in the copy of it.
    const audit = await copyPlain(dataDir, staging, AUDIT_DIRECTORY)
    // Without them nothing sealed could ever be read again: that is no backup.
    await refuseWithoutKeys(staging)
    const repositories = await copyRepositories(dataDir, staging)
    const files = [rows, ...keys, ...audit, ...repositories.files]
    const damaged = await damagedRepositories(staging)
    const { directories } = repositories
    const manifest: BackupManifest = { format: 1, createdAt: now, directories, files, damaged }
    await writeDurably(join(staging, MANIFEST_FILE), `${JSON.stringify(manifest, null, 1)}\n`, 0o600)
    await rename(staging, target)
    await syncDirectory(dirname(target))
    return { target, files: files.length, bytes: files.reduce((sum, file) => sum + file.size, 0), damaged }
  } catch (error) {
    await rm(staging, { recursive: true, force: true })
    throw asStoreError(error, doing, target)
  }
}

/** One snapshot, page by page off the event loop; then made a single file and checked. */
async function copyDatabase(dataDir: string, staging: string, database?: string): Promise<BackupFile> {
  const raw = join(staging, `${DATABASE_FILE}.raw`)
  if (database === undefined) await copyPages(dataDir, raw)
  else await copySnapshot(database, raw)
  checkDatabase(raw)
  const file = await copyFile(raw, join(staging, DATABASE_FILE), DATABASE_FILE)
  await rm(raw)
  return file
}

async function copyPages(dataDir: string, raw: string): Promise<void> {
  const source = new DatabaseSync(join(dataDir, DATABASE_FILE), { readOnly: true, timeout: 10_000 })
  try {
    // A read transaction that is open already pins the snapshot: otherwise each write of the server starts it over.
    source.exec('begin')
    source.prepare('select count(*) from "migrations"').get()
    await backup(source, raw, { rate: 1000 })
  } finally {
    source.close()
  }
}

/** Makes a copied database one file (no WAL beside it) and has SQLite check it. Throws DATA_CORRUPT. */
export function checkDatabase(file: string): void {
  const database = new DatabaseSync(file)
  try {
    database.exec('pragma journal_mode = delete')
    const answers = database
      .prepare('pragma integrity_check(5)')
      .all()
      .map((row) => String(row.integrity_check))
    const dangling = database.prepare('pragma foreign_key_check').all().length
    if (dangling > 0) answers.push(`${dangling} rows refer to rows that are missing`)
    if (answers.some((answer) => answer !== 'ok'))
      throw new TrueupError('DATA_CORRUPT', {
        doing: `checking the database ${file}`,
        why: answers.filter((answer) => answer !== 'ok').join('; '),
      })
  } finally {
    database.close()
  }
}

/** What a crash has left beside a file that was being written. */
const UNFINISHED_FILE = /\.new(?:\.pub)?$/

/** All files of a directory: agents know the server by the key that signs its merges, auditors what left the database. */
async function copyPlain(dataDir: string, staging: string, directory: string): Promise<BackupFile[]> {
  const names = (await listIfThere(join(dataDir, directory)))?.filter((name) => !UNFINISHED_FILE.test(name))
  if (!names) return []
  const to = join(staging, directory)
  await mkdir(to, { mode: 0o700 })
  const files: BackupFile[] = []
  for (const name of names) {
    const path = `${directory}/${name}`
    // An archive that never became one may go while it is copied.
    const file = await copyFile(join(dataDir, path), join(staging, path), path).catch(gone)
    if (file) files.push(file)
  }
  await syncDirectory(to)
  return files
}

async function copyRepositories(dataDir: string, staging: string): Promise<CopiedTree> {
  const all = (await listIfThere(join(dataDir, REPOSITORIES_DIRECTORY))) ?? []
  // What begins with a dot is being made, and is no repository until it has its name.
  const names = all.filter((name) => !name.startsWith('.'))
  await mkdir(join(staging, REPOSITORIES_DIRECTORY), { mode: 0o700 })
  const copied: CopiedTree = { files: [], directories: [] }
  for (const name of names) {
    const path = `${REPOSITORIES_DIRECTORY}/${name}`
    const { files, directories } = await copyRepository(join(dataDir, path), join(staging, path), path)
    for (const file of files) copied.files.push(file)
    for (const directory of directories) copied.directories.push(directory)
  }
  await syncDirectory(join(staging, REPOSITORIES_DIRECTORY))
  return copied
}

/** Names in a directory, undefined where there is no such directory. */
export const listIfThere = (directory: string): Promise<string[] | undefined> =>
  readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
