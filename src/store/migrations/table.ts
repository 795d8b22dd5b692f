import type { Kysely } from 'kysely'
import { sql } from 'kysely'
import type { MigrationDialect } from './migration.ts'

/** `int` holds milliseconds, counters and 0/1; a question mark allows null. */
type Column = 'text' | 'text?' | 'int' | 'int?' | 'bytes'

interface TableShape {
  columns: { [name: string]: Column }
  key: string[]
  /** Column → table whose `id` it holds. */
  references?: { [column: string]: string }
}

/** Makes a table from a short description. Part of released migrations: what it makes must not change. */
export async function makeTable(
  db: Kysely<unknown>,
  dialect: MigrationDialect,
  name: string,
  { columns, key, references = {} }: TableShape,
): Promise<void> {
  let table = db.schema.createTable(name)
  for (const [column, type] of Object.entries(columns)) {
    const base =
      type === 'bytes' ? sql.raw(dialect.bytes) : type.startsWith('int') ? ('bigint' as const) : ('text' as const)
    const target = references[column]
    table = table.addColumn(column, base, (definition) => {
      const nullable = type.endsWith('?') ? definition : definition.notNull()
      return target ? nullable.references(`${target}.id`) : nullable
    })
  }
  // A key of one column named id is what references point at; constraint names are per schema in PostgreSQL.
  await table.addPrimaryKeyConstraint(`${name}Key`, key as never[]).execute()
}

/** Makes an index; `on` is SQL between the parentheses, `where` makes it partial. */
export async function makeIndex(
  db: Kysely<unknown>,
  name: string,
  index: { table: string; on: string; unique?: boolean; where?: string },
): Promise<void> {
  const unique = index.unique ? 'unique ' : ''
  const where = index.where ? ` where ${index.where}` : ''
  await sql.raw(`create ${unique}index "${name}" on "${index.table}" (${index.on})${where}`).execute(db)
}
