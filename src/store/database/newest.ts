import { type RawBuilder, sql } from 'kysely'
import { type PageRequest, pageLimit } from './page.ts'
import type { Database } from './schema.ts'

/** Values that columns must have, one each. */
export interface Part {
  [column: string]: string
}

/**
 * The ids of a page, out of parts of a table that are each sorted by id in an index. A list of values in a filter would
 * make a database either read all that have one of them, or walk along the whole history for those few that do.
 * `also`: a condition that no index knows, for each part.
 */
export function newestOf(
  table: keyof Database,
  parts: readonly Part[],
  page: PageRequest,
  also: { column: string; oneOf: readonly string[] }[] = [],
): RawBuilder<string> {
  if (parts.length === 0) return sql`(select "id" from ${sql.table(table)} where 1 = 0)`
  const selects = parts.map((part) => {
    const conditions = Object.entries(part).map(([column, value]) => sql`${sql.ref(column)} = ${value}`)
    for (const { column, oneOf } of also) conditions.push(sql`${sql.ref(column)} in (${sql.join(oneOf)})`)
    if (page.cursor !== undefined) conditions.push(sql`"id" < ${page.cursor}`)
    const where = sql.join(conditions, sql` and `)
    const newest = sql`select "id" from ${sql.table(table)} where ${where} order by "id" desc limit ${pageLimit(page) + 1}`
    return sql`select "id" from (${newest}) as "part"`
  })
  return sql<string>`(${sql.join(selects, sql` union all `)})`
}

/** Every combination of these values, as parts: `{ state: [a, b], kind: [c] }` is two. */
export function combinations(values: { [column: string]: readonly string[] }): Part[] {
  let parts: Part[] = [{}]
  for (const [column, each] of Object.entries(values))
    parts = parts.flatMap((part) => each.map((value) => ({ ...part, [column]: value })))
  return parts
}
