import { readFileSync } from 'node:fs'
import { open, readFile, rename } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { z } from 'zod'
import { TrueupError } from '../../lib/errors/error.ts'
import { asStoreError, isBusy, sqliteCode } from './sqlite/errors.ts'

/**
 * One process per data directory. What locks is a file lock of the kernel, taken by SQLite on `lock.db` and held by an
 * open exclusive transaction: it cannot be stolen from a process that lives, however slow or stopped it is, and it is
 * gone the moment the process is. `lock.json` beside it only says, for people, whose it is.
 */
export const LOCK_FILES = ['lock.db', 'lock.db-journal', 'lock.json', 'lock.json.new'] as const

/** Who holds a data directory. */
const Holder = z.object({
  pid: z.int(),
  /** Field 22 of /proc/PID/stat (clock ticks since boot): tells a process from a later one with the same number. */
  startTime: z.string().nullable(),
  host: z.string(),
  /** Milliseconds since the epoch. */
  since: z.number(),
})
export type Holder = z.infer<typeof Holder>

export interface DataLock {
  /** Gives the directory free. */
  release(): void
}

/**
 * Takes the lock of a data directory, which must exist. Errors: DATA_LOCKED (names the holder), DATA_UNWRITABLE,
 * DATA_CORRUPT when `lock.db` is something else.
 */
export async function lockDataDirectory(dataDir: string, now: number = Date.now()): Promise<DataLock> {
  const doing = `locking the data directory ${dataDir}`
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(join(dataDir, 'lock.db'))
    database.exec('begin exclusive')
    await writeHolder(dataDir, now)
    const held = database
    return { release: () => held.close() }
  } catch (error) {
    database?.close()
    if (!isBusy(error)) throw asStoreError(error, doing, dataDir)
    const holder = await readHolder(dataDir)
    throw new TrueupError('DATA_LOCKED', {
      doing,
      why: `it is in use by ${describe(holder)}`,
      ...(holder && { details: { ...holder } }),
      cause: error,
    })
  }
}

/** True when some process holds the directory now. Looks only: takes nothing, writes nothing. */
export function isDataLocked(dataDir: string): boolean {
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(join(dataDir, 'lock.db'), { readOnly: true })
    database.exec('select count(*) from sqlite_master')
    return false
  } catch (error) {
    if (isBusy(error)) return true
    if (sqliteCode(error) !== undefined) return false
    throw error
  } finally {
    database?.close()
  }
}

/** What `lock.json` says, as far as it is still true: undefined when its process is gone or it cannot be read. */
export async function readHolder(dataDir: string): Promise<Holder | undefined> {
  const text = await readFile(join(dataDir, 'lock.json'), 'utf8').catch(() => '')
  try {
    const holder = Holder.parse(JSON.parse(text))
    // Of another host (or container) nothing can be looked up here.
    return holder.host !== hostname() || startTimeOf(holder.pid) === holder.startTime ? holder : undefined
  } catch {
    return undefined
  }
}

async function writeHolder(dataDir: string, now: number): Promise<void> {
  const holder: Holder = { pid: process.pid, startTime: startTimeOf(process.pid), host: hostname(), since: now }
  const fresh = join(dataDir, 'lock.json.new')
  const file = await open(fresh, 'w', 0o600)
  try {
    await file.writeFile(`${JSON.stringify(holder)}\n`)
  } finally {
    await file.close()
  }
  await rename(fresh, join(dataDir, 'lock.json'))
}

function describe(holder: Holder | undefined): string {
  if (!holder) return 'another process that has not written its name yet'
  return `process ${holder.pid} on ${holder.host}, since ${new Date(holder.since).toISOString()}`
}

/** Null where there is no such process or no /proc. */
function startTimeOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name in parentheses may hold anything, so fields are counted from its end; the start time is field 22.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null
  } catch {
    return null
  }
}
