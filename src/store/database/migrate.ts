import type { Kysely } from 'kysely'
import { TrueupError } from '../../lib/errors/error.ts'
import { MIGRATIONS } from '../migrations/all.ts'
import type { Migration, MigrationDialect } from '../migrations/migration.ts'
import type { Database } from './schema.ts'

/**
 * Brings the schema up to date, each migration in a transaction of its own, and returns the names of those applied.
 * Error: DATA_NEWER when the data carries a breaking migration that this program does not know (an unknown one that is
 * not breaking is fine: it only added something).
 */
export async function migrate(
  db: Kysely<Database>,
  dialect: MigrationDialect,
  migrations: readonly Migration[] = MIGRATIONS,
): Promise<string[]> {
  // Several servers may start at once: in a transaction one makes it, and the others find it.
  await db.transaction().execute(async (tx) => {
    await tx.schema
      .createTable('migrations')
      .ifNotExists()
      .addColumn('number', 'integer', (column) => column.primaryKey())
      .addColumn('name', 'text', (column) => column.notNull())
      .addColumn('breaking', 'integer', (column) => column.notNull())
      .addColumn('appliedAt', 'bigint', (column) => column.notNull())
      .execute()
  })
  const applied = await db.selectFrom('migrations').selectAll().orderBy('number').execute()
  const known = new Set(migrations.map((migration) => migration.number))
  const newer = applied.filter((row) => !known.has(row.number) && row.breaking !== 0)
  if (newer.length > 0)
    throw new TrueupError('DATA_NEWER', {
      doing: 'opening the database',
      why: `it has the schema of a newer Trueup: ${newer.map((row) => `${row.number} (${row.name})`).join(', ')}`,
      details: { migrations: newer.map((row) => row.number) },
    })
  const done = new Set(applied.map((row) => row.number))
  const pending = migrations.filter((migration) => !done.has(migration.number))
  for (const migration of pending)
    await db.transaction().execute(async (tx) => {
      await migration.up(tx as unknown as Kysely<unknown>, dialect)
      const { number, name } = migration
      const row = { number, name, breaking: Number(migration.breaking), appliedAt: Date.now() }
      await tx.insertInto('migrations').values(row).execute()
    })
  return pending.map((migration) => migration.name)
}
