import { sql } from 'kysely'
import type { Queries } from '../database/context.ts'

/** Bytes of a database and of its largest parts, an index with its table. */
export interface DatabaseSize {
  bytes: number
  /** Of them, what was given free and is used next. */
  free: number
  tables: { table: string; bytes: number }[]
}

/** Embedded databases only. Reads every page, see https://sqlite.org/dbstat.html. */
export async function databaseSize(db: Queries): Promise<DatabaseSize> {
  const number = async (pragma: string): Promise<number> => {
    const { rows } = await sql<{ [name: string]: number }>`${sql.raw(`pragma ${pragma}`)}`.execute(db)
    return Number(Object.values(rows[0] ?? { none: 0 })[0])
  }
  const [pages, free, page] = [await number('page_count'), await number('freelist_count'), await number('page_size')]
  const { rows } = await sql<{ table: string; bytes: number }>`
    select coalesce("m"."tbl_name", "s"."name") as "table", sum("s"."pgsize") as "bytes"
      from "dbstat" as "s" left join "sqlite_schema" as "m" on "m"."name" = "s"."name"
     where "s"."aggregate" = 1 group by 1 order by 2 desc`.execute(db)
  return { bytes: pages * page, free: free * page, tables: rows.map((row) => ({ ...row, bytes: Number(row.bytes) })) }
}
