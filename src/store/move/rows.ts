import { createHash } from 'node:crypto'
import { type Kysely, sql } from 'kysely'
import type { Queries } from '../database/context.ts'
import type { MovedTable } from './tables.ts'

type Row = { [column: string]: unknown }

/** Rows that are read at once. */
const PORTION = 500
/** Fewer than the parameters of one statement in either database. */
const MOST_PARAMETERS = 30_000

/** How many rows a table has, and a SHA-256 over them in the order of its key. */
export interface TableDigest {
  rows: number
  digest: string
}

/** Writes every row of a table into the same, empty table of another database. */
export async function copyTable(from: Queries, to: Queries, table: MovedTable): Promise<void> {
  // Kysely cannot follow a table name that is only known at run time.
  const into = to as unknown as Kysely<{ [name: string]: Row }>
  const most = Math.max(1, Math.floor(MOST_PARAMETERS / table.columns.length))
  for await (const rows of portions(from, table))
    for (let at = 0; at < rows.length; at += most)
      await into
        .insertInto(table.name)
        .values(rows.slice(at, at + most))
        .execute()
}

export async function digestTable(db: Queries, table: MovedTable): Promise<TableDigest> {
  const hash = createHash('sha256')
  let count = 0
  for await (const rows of portions(db, table))
    for (const row of rows) {
      count++
      hash.update(`${JSON.stringify(table.columns.map((column) => canonical(row[column])))}\n`)
    }
  return { rows: count, digest: hash.digest('hex') }
}

/** A table by its key: text is ordered by its bytes in both databases. */
async function* portions(db: Queries, { name, columns, key }: MovedTable): AsyncGenerator<Row[]> {
  const order = sql.join(key.map((column) => sql.ref(column)))
  let after: unknown[] | undefined
  for (;;) {
    const beyond = after ? sql` where (${order}) > (${sql.join(after)})` : sql``
    const { rows } = await sql<Row>`
      select ${sql.join(columns.map((column) => sql.ref(column)))} from ${sql.table(name)}${beyond}
       order by ${order} limit ${sql.lit(PORTION)}`.execute(db)
    if (rows.length > 0) yield rows
    const last = rows.at(-1)
    if (last === undefined || rows.length < PORTION) return
    after = key.map((column) => last[column])
  }
}

/** The same text for the same value of either database; what PostgreSQL's text cannot hold counts as what it becomes there. */
function canonical(value: unknown): unknown {
  if (value instanceof Uint8Array) return { bytes: Buffer.from(value).toString('base64') }
  return typeof value === 'string' ? value.replaceAll('\0', '\uFFFD').toWellFormed() : value
}
