import { type RawBuilder, sql } from 'kysely'

/** What stacks are found by beside where they are and how they are. */
export interface FoundBy {
  /** Words, in any case: each is part of the name, the path, an owner, a label or a tool, or the driver's name. */
  text?: string
  driver?: string
  /** Whole ones, in any case: of owners (`@ada`), of labels (`tier=web`), of tools (`tofu`, `tofu@1.12.6`). */
  owner?: string
  label?: string
  tool?: string
}

/** Conditions over columns of `stacks`, all of which its index `stacksByName` holds. */
export function foundBy({ text = '', driver, owner, label, tool }: FoundBy): RawBuilder<boolean>[] {
  const conditions = text
    .toLowerCase()
    .split(/\s+/)
    .filter(Boolean)
    .map((word) => {
      const places = ['name', 'path', 'facets', 'tools'].map((column) => has(column, `%${literal(word)}%`))
      return sql<boolean>`(${sql.join(places, sql` or `)} or driver = ${word})`
    })
  for (const word of [owner, label]) if (word !== undefined) conditions.push(has('facets', `% ${literal(word)} %`))
  if (tool !== undefined) conditions.push(has('tools', `% ${literal(tool)}${tool.includes('@') ? ' ' : '@'}%`))
  if (driver !== undefined) conditions.push(sql<boolean>`driver = ${driver}`)
  return conditions
}

const has = (column: string, pattern: string): RawBuilder<boolean> =>
  sql<boolean>`lower(${sql.ref(column)}) like ${pattern.toLowerCase()} escape '\\'`

const literal = (text: string): string => text.replaceAll(/[\\%_]/g, (sign) => `\\${sign}`)
