import { sql } from 'kysely'
import type { Queries } from '../context.ts'

/**
 * Gives every column of text the order of its bytes, which ids, cursors and ranges of names rely on and SQLite has by
 * itself; the order of a database is what its operating system says, and changes with it.
 */
export async function orderByBytes(tx: Queries): Promise<void> {
  const { rows } = await sql<{ table: string; column: string }>`
    select c.relname as "table", a.attname as "column"
      from pg_attribute a
      join pg_class c on c.oid = a.attrelid
      join pg_collation o on o.oid = a.attcollation
     where c.relkind = 'r' and c.relnamespace = current_schema()::regnamespace
       and a.attnum > 0 and not a.attisdropped and o.collname <> 'C'`.execute(tx)
  for (const [table, columns] of Map.groupBy(rows, (row) => row.table)) {
    const parts = columns.map(({ column }) => sql`alter column ${sql.ref(column)} type text collate "C"`)
    await sql`alter table ${sql.table(table)} ${sql.join(parts)}`.execute(tx)
  }
}
