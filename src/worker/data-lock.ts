import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { TrueupError } from '../lib/errors/error.ts'

export interface DataLock {
  release(): void
}

const RETRY_MS = 250

/** How to wait for a lock that somebody holds. */
export interface LockWait {
  /** Ends the waiting. */
  signal: AbortSignal | undefined
  /** Called once, with the holder in words. */
  onWait: (holder: string) => void
}

/**
 * Makes this process the only runner of a data directory: a second one would end the first one's tools as left behind.
 * The lock is the kernel's (SQLite's file lock), so it ends with the process however that dies, and is never stolen.
 * @param wait keep trying instead of answering DATA_LOCKED.
 */
export async function lockData(file: string, wait: LockWait | false): Promise<DataLock> {
  const holder = `${file}.holder`
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    chmodSync(dirname(file), 0o700)
    for (let tries = 0; ; tries++) {
      const lock = tryLock(file)
      if (lock) {
        writeFileSync(holder, `process ${process.pid}`, { mode: 0o600 })
        return lock
      }
      if (!wait) throw locked(dirname(file), holder)
      if (tries === 0) wait.onWait(holderIn(holder))
      await sleep(RETRY_MS, undefined, { signal: wait.signal })
    }
  } catch (thrown) {
    if (thrown instanceof TrueupError || (wait && wait.signal?.aborted)) throw thrown
    const why = thrown instanceof Error ? thrown.message : String(thrown)
    throw new TrueupError('DATA_UNWRITABLE', {
      doing: `opening the data directory ${dirname(file)}`,
      why,
      cause: thrown,
    })
  }
}

function tryLock(file: string): DataLock | null {
  const database = new DatabaseSync(file, { timeout: 0 })
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE')
    return { release: () => database.close() }
  } catch (thrown) {
    database.close()
    // 5 = SQLITE_BUSY: https://sqlite.org/rescode.html
    if ((thrown as { errcode?: number }).errcode === 5) return null
    throw thrown
  }
}

function holderIn(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    // The holder has taken the lock this very moment and not said its name yet.
    return 'another process'
  }
}

function locked(directory: string, holder: string): TrueupError {
  return new TrueupError('DATA_LOCKED', {
    doing: `opening the data directory ${directory}`,
    why: `${holderIn(holder)} is a runner on it`,
    next: 'Stop that process, or give this runner a directory of its own with --data.',
  })
}
