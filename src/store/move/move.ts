import { existsSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Kysely, sql } from 'kysely'
import { syncDirectory } from '../../lib/durable-file.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import type { Queries } from '../database/context.ts'
import { lockDataDirectory } from '../database/lock.ts'
import { migrate } from '../database/migrate.ts'
import { type OpenPostgres, openPostgres } from '../database/postgres/open.ts'
import { placeOf } from '../database/postgres/pool.ts'
import type { Database } from '../database/schema.ts'
import { sqliteDialect } from '../database/sqlite/dialect.ts'
import { openSqlite } from '../database/sqlite/open.ts'
import { ELSEWHERE_FILE, writeElsewhere } from '../elsewhere.ts'
import { DATABASE_FILE } from '../store.ts'
import { copyTable, digestTable } from './rows.ts'
import { type MovedTable, movedTables } from './tables.ts'

export interface MovedRows {
  /** Tables with rows, most first. */
  tables: { table: string; rows: number; digest: string }[]
  rows: number
}

/** Hears which table is copied now; for people who wait. */
export type OnTable = (table: string) => void

/**
 * Moves the rows of a data directory's own database into an empty PostgreSQL database, proves that each table is the same, and
 * has the directory know where they are. All or nothing; the file stays beside, as `trueup.db.moved`.
 * Errors: DATA_LOCKED (a server uses one of them), CONFLICT (the target is not empty, a table differs), NOT_FOUND.
 */
export async function moveToPostgres(dataDir: string, url: string, onTable: OnTable): Promise<MovedRows> {
  const doing = `moving the database of ${dataDir} to ${placeOf(url)}`
  const file = join(dataDir, DATABASE_FILE)
  if (!existsSync(file))
    throw new TrueupError('NOT_FOUND', { doing, why: `there is no ${DATABASE_FILE}`, next: 'Check --data.' })
  return await withLock(dataDir, async () => {
    const source = await openEmbedded(file)
    try {
      return await withPostgres(url, async ({ db }) => {
        const moved = await moveRows({ doing, from: source, to: db, embedded: source, onTable })
        await writeElsewhere(dataDir, url)
        return moved
      })
    } finally {
      await source.destroy()
      // Named anew last: a crash before it leaves a directory that says where its rows are, which is what counts.
      if (existsSync(join(dataDir, ELSEWHERE_FILE))) await rename(file, `${file}.moved`)
    }
  })
}

/** The way back: into a new file, which gets its name when it is whole. The rows of PostgreSQL stay as they are. */
export async function moveToEmbedded(dataDir: string, url: string, onTable: OnTable): Promise<MovedRows> {
  const doing = `moving ${placeOf(url)} into the data directory ${dataDir}`
  const file = join(dataDir, DATABASE_FILE)
  if (existsSync(file)) throw new TrueupError('CONFLICT', { doing, why: `there is a ${DATABASE_FILE} already` })
  return await withLock(dataDir, async () => {
    const fresh = `${file}.new`
    const removeFresh = async (): Promise<void> => {
      for (const end of ['', '-wal', '-shm']) await rm(`${fresh}${end}`, { force: true })
    }
    await removeFresh()
    try {
      const moved = await withPostgres(url, async ({ db }) => {
        const target = await openEmbedded(fresh)
        try {
          return await moveRows({ doing, from: db, to: target, embedded: target, onTable })
        } finally {
          await target.destroy()
        }
      })
      await rename(fresh, file)
      await rm(join(dataDir, ELSEWHERE_FILE), { force: true })
      await syncDirectory(dataDir)
      return moved
    } catch (error) {
      await removeFresh()
      throw error
    }
  })
}

interface Move {
  doing: string
  from: Kysely<Database>
  to: Kysely<Database>
  /** The one of the two that says what tables there are. */
  embedded: Kysely<Database>
  onTable: OnTable
}

async function moveRows({ doing, from, to, embedded, onTable }: Move): Promise<MovedRows> {
  const tables = await movedTables(embedded)
  await refuseFull(doing, to, tables)
  return await to.transaction().execute(async (tx) => {
    // The one row that a new database has.
    await tx.deleteFrom('auditHead').execute()
    const moved: MovedRows['tables'] = []
    for (const table of tables) {
      onTable(table.name)
      await copyTable(from, tx, table)
      const [before, after] = [await digestTable(from, table), await digestTable(tx, table)]
      if (before.rows !== after.rows || before.digest !== after.digest)
        throw new TrueupError('CONFLICT', {
          doing,
          why: `the table "${table.name}" is not the same there: ${before.rows} rows here, ${after.rows} there, or other values`,
          next: 'Nothing was changed. Tell the developers which table it is.',
        })
      if (before.rows > 0) moved.push({ table: table.name, ...before })
    }
    const most = moved.toSorted((one, other) => other.rows - one.rows)
    return { tables: most, rows: moved.reduce((sum, { rows }) => sum + rows, 0) }
  })
}

async function refuseFull(doing: string, to: Queries, tables: MovedTable[]): Promise<void> {
  for (const { name } of tables.filter((table) => table.name !== 'auditHead')) {
    const { rows } = await sql`select 1 from ${sql.table(name)} limit 1`.execute(to)
    if (rows.length > 0)
      throw new TrueupError('CONFLICT', {
        doing,
        why: `the target has rows already, in "${name}"`,
        next: 'Name an empty database.',
      })
  }
}

async function openEmbedded(file: string): Promise<Kysely<Database>> {
  const db = new Kysely<Database>({ dialect: sqliteDialect({ database: openSqlite(file), file }) })
  await migrate(db, { name: 'sqlite', bytes: 'blob' })
  return db
}

async function withPostgres<T>(url: string, work: (open: OpenPostgres) => Promise<T>): Promise<T> {
  const open = await openPostgres(url, () => {})
  try {
    return await work(open)
  } finally {
    await open.close()
  }
}

async function withLock<T>(dataDir: string, work: () => Promise<T>): Promise<T> {
  const lock = await lockDataDirectory(dataDir)
  try {
    return await work()
  } finally {
    lock.release()
  }
}
