import { sql } from 'kysely'
import type { Queries } from '../context.ts'
import type { DatabaseSize } from '../size.ts'
import { freePages } from './vacuum.ts'

/** Embedded databases only. Reads every page, see https://sqlite.org/dbstat.html. */
export async function databaseSize(db: Queries): Promise<DatabaseSize> {
  const { pages, free, pageSize, mode } = await freePages(db)
  const { rows } = await sql<{ table: string; bytes: number }>`
    select coalesce("m"."tbl_name", "s"."name") as "table", sum("s"."pgsize") as "bytes"
      from "dbstat" as "s" left join "sqlite_schema" as "m" on "m"."name" = "s"."name"
     where "s"."aggregate" = 1 group by 1 order by 2 desc`.execute(db)
  const tables = rows.map((row) => ({ ...row, bytes: Number(row.bytes) }))
  return { bytes: pages * pageSize, free: free * pageSize, shrinks: mode !== 'none', tables }
}
