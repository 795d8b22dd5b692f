import type { Kysely } from 'kysely'
import type { Queries } from './context.ts'
import type { Database } from './schema.ts'

type Identified = { [Table in keyof Database]: Database[Table] extends { id: string } ? Table : never }[keyof Database]

/** Few enough for the parameters of one statement. */
const AT_ONCE = 500

/** A few columns of the rows of these ids, by id: what a list says of them, without all that such a row may hold. */
export async function lookUp<Table extends Identified, Column extends keyof Database[Table] & string>(
  db: Queries,
  table: Table,
  ids: Iterable<string | null>,
  columns: readonly Column[],
): Promise<Map<string, Pick<Database[Table], Column>>> {
  const wanted = [...ids].filter((id) => id !== null)
  const found = new Map<string, Pick<Database[Table], Column>>()
  // Kysely cannot follow a table name that is a type parameter.
  const untyped = db as unknown as Kysely<{ [table: string]: { id: string } }>
  const rows = await inPortions(wanted, (part) =>
    untyped
      .selectFrom(table as string)
      .select(['id', ...(columns as never[])])
      .where('id', 'in', part)
      .execute(),
  )
  for (const { id, ...row } of rows) found.set(id, row as unknown as Pick<Database[Table], Column>)
  return found
}

/** Rows of many values, each once, asked for in portions. */
export async function inPortions<Row>(
  values: readonly string[],
  ask: (part: string[]) => Promise<Row[]>,
): Promise<Row[]> {
  const wanted = [...new Set(values)]
  const rows: Row[] = []
  for (let from = 0; from < wanted.length; from += AT_ONCE)
    rows.push(...(await ask(wanted.slice(from, from + AT_ONCE))))
  return rows
}
