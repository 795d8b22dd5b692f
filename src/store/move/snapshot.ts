import { Kysely, sql } from 'kysely'
import { TrueupError } from '../../lib/errors/error.ts'
import { migrate } from '../database/migrate.ts'
import { postgresDialect } from '../database/postgres/dialect.ts'
import { asPostgresError } from '../database/postgres/errors.ts'
import { assertPostgresUrl } from '../database/postgres/open.ts'
import { openPool, placeOf } from '../database/postgres/pool.ts'
import type { Database } from '../database/schema.ts'
import { sqliteDialect } from '../database/sqlite/dialect.ts'
import { openSqlite } from '../database/sqlite/open.ts'
import { MIGRATIONS } from '../migrations/all.ts'
import { copyTable, digestTable } from './rows.ts'
import { movedTables } from './tables.ts'

/**
 * Copies all rows of a PostgreSQL database, as they are at one moment, into a new embedded database, while servers go on
 * writing. Errors: DATABASE_UNREACHABLE, DATA_NEWER (a newer Trueup has written it), CONFLICT (a table is not the same).
 */
export async function copySnapshot(url: string, file: string): Promise<void> {
  assertPostgresUrl(url)
  const place = placeOf(url)
  const doing = `copying ${place}`
  // A pool of one: everything that is asked for is asked for on the connection that holds the snapshot.
  const pool = openPool(url, 1, () => {})
  const source = new Kysely<Database>({
    dialect: postgresDialect({ pool, place, standing: { assertHeld: refuse, question: refuse, heard: refuse } }),
  })
  const target = new Kysely<Database>({ dialect: sqliteDialect({ database: openSqlite(file), file }) })
  try {
    await pool.query('begin isolation level repeatable read read only')
    const snapshot = await snapshotOf(source)
    await refuseNewer(doing, source)
    await migrate(target, { name: 'sqlite', bytes: 'blob' })
    const tables = await movedTables(target)
    await target.transaction().execute(async (tx) => {
      await tx.deleteFrom('auditHead').execute()
      for (const table of tables) {
        await copyTable(source, tx, table)
        const [there, here] = [await digestTable(source, table), await digestTable(tx, table)]
        if (there.rows !== here.rows || there.digest !== here.digest)
          throw new TrueupError('CONFLICT', { doing, why: `the table "${table.name}" is not the same in the copy` })
      }
      // A connection that broke was replaced by one that sees later rows.
      if ((await snapshotOf(source)) !== snapshot)
        throw new TrueupError('DATABASE_UNREACHABLE', { doing, why: `${place}: the connection broke in the middle` })
    })
  } catch (error) {
    throw asPostgresError(error, doing, place)
  } finally {
    await source.destroy()
    await target.destroy()
  }
}

/** Tells one moment of a database from another. */
async function snapshotOf(db: Kysely<Database>): Promise<string> {
  const { rows } = await sql<{ at: string }>`
    select concat_ws(' ', pg_backend_pid(), transaction_timestamp(), pg_current_snapshot()) as "at"`.execute(db)
  return rows[0]?.at ?? ''
}

/** Its rows may have columns that this program would leave behind. */
async function refuseNewer(doing: string, db: Kysely<Database>): Promise<void> {
  const known = new Set(MIGRATIONS.map(({ number }) => number))
  const applied = await db.selectFrom('migrations').select(['number', 'name']).execute()
  const newer = applied.filter(({ number }) => !known.has(number))
  if (newer.length === 0) return
  throw new TrueupError('DATA_NEWER', {
    doing,
    why: `it has the schema of a newer Trueup: ${newer.map(({ number, name }) => `${number} (${name})`).join(', ')}`,
  })
}

function refuse(): never {
  throw new Error('a snapshot is only read')
}
