import { sql } from 'kysely'
import type { Queries } from '../database/context.ts'

/** A table that is moved. */
export interface MovedTable {
  name: string
  columns: string[]
  /** Columns of its primary key, in their order. */
  key: string[]
}

/** What a database says of itself and not of the installation. */
const OWN = new Set(['migrations', 'servers'])

/** All tables in the order in which they were made: what refers to another one comes after it. `db` is an embedded database. */
export async function movedTables(db: Queries): Promise<MovedTable[]> {
  const { rows } = await sql<{ name: string }>`
    select "name" from "sqlite_schema" where "type" = 'table' and "name" not like 'sqlite_%' order by "rowid"`.execute(
    db,
  )
  const tables: MovedTable[] = []
  for (const { name } of rows.filter((row) => !OWN.has(row.name))) {
    const columns = await sql<{ name: string; pk: number }>`
      select "name", "pk" from pragma_table_info(${name}) order by "cid"`.execute(db)
    const key = columns.rows.filter(({ pk }) => pk > 0).toSorted((one, other) => one.pk - other.pk)
    tables.push({ name, columns: columns.rows.map((column) => column.name), key: key.map((column) => column.name) })
  }
  return tables
}
