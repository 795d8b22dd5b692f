import { closeSync, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'

/** Milliseconds to wait for another process's lock (a backup that reads); ours is held by nobody else. */
const BUSY_TIMEOUT = 10_000

/** Opens a database file with the settings that every connection of ours has. */
export function openSqlite(file: string): DatabaseSync {
  // SQLite goes by the umask. The directory may be one that others can look into; WAL and index take this file's mode.
  closeSync(openSync(file, 'a', 0o600))
  const database = new DatabaseSync(file, { timeout: BUSY_TIMEOUT, enableForeignKeyConstraints: true })
  try {
    // Of a new file only, before anything else is in it: what becomes free later can be given back while it is in use.
    database.exec('pragma auto_vacuum = incremental')
    // FULL: a commit has reached the disk when it returns. WAL: readers of other processes (backup) do not block it.
    database.exec('pragma journal_mode = wal; pragma synchronous = full; pragma journal_size_limit = 67108864')
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

/** The same file for nothing but reading: what a transaction of another connection has not committed is not seen. */
export const openForReading = (file: string): DatabaseSync =>
  new DatabaseSync(file, { readOnly: true, timeout: BUSY_TIMEOUT })
