import { z } from 'zod'

/**
 * Query of every list: `limit` items after the place that `cursor` (the `next` of the page before) names. Strict, because a
 * misspelt filter would otherwise answer with everything.
 */
export const PageQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(500).optional(),
})
export type PageQuery = z.infer<typeof PageQuery>

/** The answer of every list: the items, and the cursor of the next page or null at the end. */
export const pageOf = <Item extends z.ZodType>(item: Item) =>
  z.object({ items: z.array(item), next: z.string().nullable() })

export interface Page<Item> {
  items: Item[]
  next: string | null
}

/**
 * One page out of rows that are all in memory, by a unique key. For lists that are short by nature (teams, members,
 * one person's tokens); long ones page in the query.
 */
export function pageInMemory<Item>(all: readonly Item[], query: PageQuery, keyOf: (item: Item) => string): Page<Item> {
  const { cursor, limit } = query
  const sorted = all.map((item) => ({ item, key: keyOf(item) })).sort((a, b) => (a.key < b.key ? -1 : 1))
  const rest = cursor === undefined ? sorted : sorted.filter(({ key }) => key > cursor)
  const page = rest.slice(0, limit)
  return { items: page.map(({ item }) => item), next: rest.length > limit ? (page.at(-1)?.key ?? null) : null }
}
