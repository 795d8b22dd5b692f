import { sql } from 'kysely'
import type { Queries } from '../database/context.ts'
import { type Page, type PageRequest, pageLimit } from '../database/page.ts'
import { type FoundBy, foundBy } from './found-by.ts'
import type { StackStatus } from './stacks.ts'

/** Statuses by how much they need a person, most first. A new one must be given its place here. */
const NEED: Record<StackStatus, number> = {
  failed: 0,
  awaiting_approval: 1,
  drifted: 2,
  unreachable: 3,
  unknown: 4,
  blocked: 5,
  quarantined: 6,
  orphaned: 7,
  deploying: 8,
  pending: 9,
  partly_checked: 10,
  new: 11,
  in_sync: 12,
}

export interface MatrixFilter extends FoundBy {
  repositoryId: string
  environment?: string
  status?: StackStatus
  /** `need`: what needs a person first; by name otherwise. */
  sort: 'need' | 'name'
}

export interface MatrixCell {
  id: string
  environment: string
  status: StackStatus
  statusReason: string | null
  observedAt: number | null
  deployedAt: number | null
  nextDriftAt: number | null
  driver: string
  path: string
  /** Words of `facetsOf` and of `toolFacets`. */
  facets: string | null
  tools: string | null
}

/** One name and its stacks, one an environment. */
export interface MatrixRow {
  name: string
  cells: MatrixCell[]
}

/**
 * The stacks of a repository as rows of equal name. A row is there when one of its stacks matches, and then whole: what
 * the same stack is like in the next environment is what people compare. Two queries, whatever the size.
 */
export async function stackMatrix(db: Queries, filter: MatrixFilter, page: PageRequest): Promise<Page<MatrixRow>> {
  const limit = pageLimit(page)
  const need = sql<number>`min(${sql.join(
    [
      sql`case status`,
      ...Object.entries(NEED).map(([status, rank]) => sql`when ${status} then ${rank}`),
      sql`else 0 end`,
    ],
    sql` `,
  )})`
  let query = db
    .selectFrom('stacks')
    .select(['name', need.as('need')])
    .where('repositoryId', '=', filter.repositoryId)
    .where('removedAt', 'is', null)
    .groupBy('name')
  for (const condition of foundBy(filter)) query = query.where(condition)
  if (filter.environment !== undefined) query = query.where('environment', '=', filter.environment)
  if (filter.status !== undefined) query = query.where('status', '=', filter.status)
  const after = cursorOf(page.cursor)
  if (filter.sort === 'need') {
    if (after)
      query = query.having(
        sql<boolean>`(${need} > ${after.need} or (${need} = ${after.need} and name > ${after.name}))`,
      )
    query = query.orderBy('need')
  } else if (after) query = query.where('name', '>', after.name)
  const found = await query
    .orderBy('name')
    .limit(limit + 1)
    .execute()
  const rows = found.slice(0, limit)
  const last = rows.at(-1)
  const next = found.length > limit && last ? `${last.need} ${last.name}` : null
  return {
    items: await withCells(
      db,
      filter.repositoryId,
      rows.map(({ name }) => name),
    ),
    next,
  }
}

async function withCells(db: Queries, repositoryId: string, names: readonly string[]): Promise<MatrixRow[]> {
  if (names.length === 0) return []
  const cells = await db
    .selectFrom('stacks')
    .select(['name', 'id', 'environment', 'status', 'statusReason', 'observedAt', 'deployedAt', 'nextDriftAt'])
    .select(['driver', 'path', 'facets', 'tools'])
    .where('repositoryId', '=', repositoryId)
    .where('removedAt', 'is', null)
    .where('name', 'in', [...names])
    .execute()
  const byName = Map.groupBy(cells, ({ name }) => name)
  return names.map((name) => ({
    name,
    cells: (byName.get(name) ?? []).map(({ name: _name, ...cell }) => cell),
  }))
}

/** Of `NEED NAME`; null for none. A broken one begins anew. */
function cursorOf(cursor: string | undefined): { need: number; name: string } | null {
  const [, need, name] = /^(\d+) (.+)$/s.exec(cursor ?? '') ?? []
  return need !== undefined && name !== undefined ? { need: Number(need), name } : null
}
