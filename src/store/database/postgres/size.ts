import { sql } from 'kysely'
import type { Queries } from '../context.ts'
import type { DatabaseSize } from '../size.ts'

/** What the database takes on the disk of its server. What is free inside is PostgreSQL's own to use again (autovacuum). */
export async function postgresSize(db: Queries): Promise<DatabaseSize> {
  const { rows } = await sql<{ table: string; bytes: number }>`
    select relname as "table", pg_total_relation_size(oid) as "bytes"
      from pg_class where relkind = 'r' and relnamespace = current_schema()::regnamespace
     order by 2 desc`.execute(db)
  const all = await sql<{ bytes: number }>`select pg_database_size(current_database()) as "bytes"`.execute(db)
  return { bytes: all.rows[0]?.bytes ?? 0, free: 0, shrinks: false, tables: rows }
}
