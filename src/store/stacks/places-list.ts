import { sql } from 'kysely'
import type { Queries } from '../database/context.ts'
import { type Page, type PageRequest, pageLimit, pageOf } from '../database/page.ts'

/** A place with the stack that manages it alone. */
export interface ListedPlace {
  address: string
  stackId: string
  environment: string
  name: string
  driver: string
  claimedAt: number
}

export interface PlaceFilter {
  repositoryId: string
  environment?: string
  stackId?: string
  /** Any part of an address. */
  text?: string
}

/** Places of the stacks of a repository, by address. */
export async function listPlaces(db: Queries, filter: PlaceFilter, page: PageRequest = {}): Promise<Page<ListedPlace>> {
  const { repositoryId, environment, stackId, text } = filter
  let query = db
    .selectFrom('places')
    .innerJoin('stacks', 'stacks.id', 'places.stackId')
    .select([
      'places.address',
      'places.stackId',
      'places.claimedAt',
      'stacks.environment',
      'stacks.name',
      'stacks.driver',
    ])
    .where('stacks.repositoryId', '=', repositoryId)
  if (environment !== undefined) query = query.where('stacks.environment', '=', environment)
  if (stackId !== undefined) query = query.where('places.stackId', '=', stackId)
  if (text !== undefined) {
    const pattern = `%${text.toLowerCase().replaceAll(/[\\%_]/g, String.raw`\$&`)}%`
    query = query.where(sql<boolean>`lower("places"."address") like ${pattern} escape '\\'`)
  }
  if (page.cursor !== undefined) {
    const end = page.cursor.lastIndexOf(' ')
    const [address, owner] = [page.cursor.slice(0, Math.max(end, 0)), page.cursor.slice(end + 1)]
    query = query.where((is) =>
      is.or([
        is('places.address', '>', address),
        is.and([is('places.address', '=', address), is('places.stackId', '>', owner)]),
      ]),
    )
  }
  const rows = await query
    .orderBy('places.address')
    .orderBy('places.stackId')
    .limit(pageLimit(page) + 1)
    .execute()
  return pageOf(rows, page, (row) => `${row.address} ${row.stackId}`)
}
