import { existsSync } from 'node:fs'
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Kysely } from 'kysely'
import { type Clock, systemClock } from '../lib/clock.ts'
import { TrueupError } from '../lib/errors/error.ts'
import { lockDataDirectory } from './database/lock.ts'
import { continueIds } from './database/continue-ids.ts'
import { migrate } from './database/migrate.ts'
import { refuseInterruptedRestore } from './backup/restore.ts'
import type { Database } from './database/schema.ts'
import { sqliteDialect } from './database/sqlite/dialect.ts'
import { openForReading, openSqlite } from './database/sqlite/open.ts'
import { quickCheckAtStart } from './database/sqlite/quick-check.ts'
import { asFileError, asStoreError } from './database/sqlite/errors.ts'
import { openElsewhere, refuseElsewhere } from './elsewhere.ts'
import { DATABASE_FILE, makeStore, REPOSITORIES_DIRECTORY, type Store, type StoreLog } from './store.ts'

export type { Change, Queries } from './database/context.ts'
export { noteChange, nowOf } from './database/context.ts'
export type { ChangeFeed, Store, StoreLog } from './store.ts'

export interface StoreOptions {
  /** Address of a PostgreSQL database; the embedded one of the data directory where absent. */
  database?: string
  clock?: Clock
  log?: StoreLog
}

/**
 * Opens (or makes) the store of a data directory, takes its lock and brings the schema up to date.
 * Errors: DATA_LOCKED, DATA_UNWRITABLE, DATA_NEWER, DATA_CORRUPT; of PostgreSQL also CONFIG_INVALID, DATABASE_UNREACHABLE.
 */
export async function openStore(dataDir: string, options: StoreOptions = {}): Promise<Store> {
  const clock = options.clock ?? systemClock
  await makeDataDirectory(dataDir)
  const lock = await lockDataDirectory(dataDir, clock.now())
  try {
    await refuseInterruptedRestore(dataDir)
    if (options.database !== undefined)
      return await openElsewhere({ dataDir, url: options.database, clock, lock, log: options.log })
    await refuseElsewhere(dataDir)
    await refuseMissingDatabase(dataDir)
    const db = await openDatabase(join(dataDir, DATABASE_FILE), options.log)
    const close = async () => {
      await db.destroy()
      lock.release()
    }
    await continueIds(db)
    const file = join(dataDir, DATABASE_FILE)
    return makeStore({ db, dialect: 'sqlite', clock, file, close, log: options.log })
  } catch (error) {
    lock.release()
    throw error
  }
}

/** Repositories without their database are a loss to be seen, not a new installation: it would know none of them. */
async function refuseMissingDatabase(dataDir: string): Promise<void> {
  if (existsSync(join(dataDir, DATABASE_FILE))) return
  const found = await readdir(join(dataDir, REPOSITORIES_DIRECTORY)).catch(() => [])
  const hosted = found.filter((name) => name.endsWith('.git')).length
  if (hosted === 0) return
  throw new TrueupError('DATA_CORRUPT', {
    doing: `opening the data directory ${dataDir}`,
    why: `it holds ${hosted} ${hosted === 1 ? 'repository' : 'repositories'}, and no ${DATABASE_FILE}`,
    next: `Bring ${DATABASE_FILE} back, or restore the last backup with \`trueup restore\`; for a new installation name an empty directory.`,
  })
}

async function makeDataDirectory(dataDir: string): Promise<void> {
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw asFileError(error, `making the data directory ${dataDir}`, dataDir)
  }
}

async function openDatabase(file: string, log: StoreLog | undefined): Promise<Kysely<Database>> {
  const doing = `opening the database ${file}`
  let db: Kysely<Database> | undefined
  try {
    const database = openSqlite(file)
    db = new Kysely<Database>({ dialect: sqliteDialect({ database, reading: openForReading(file), file }) })
    // A damaged page would be found by whoever needs it, in the middle of something.
    quickCheckAtStart(database, file)
    const applied = await migrate(db, { name: 'sqlite', bytes: 'blob' })
    if (applied.length > 0) log?.info({ migrations: applied }, 'schema brought up to date')
    return db
  } catch (error) {
    await db?.destroy()
    throw asStoreError(error, doing, file)
  }
}
