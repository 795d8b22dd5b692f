import type { Coverage } from '../../domain/plans/plan.ts'
import type { JsonObject } from '../../lib/json.ts'
import type { Queries } from '../database/context.ts'
import { type FromRow, makeCodec } from '../database/codec.ts'
import { makeEntity, type New } from '../database/entity.ts'
import { type Page, type PageRequest, pageLimit, pageOf } from '../database/page.ts'
import type { Database } from '../database/schema.ts'
import { type FoundBy, foundBy } from './found-by.ts'

export type Stack = FromRow<
  Database['stacks'],
  { config: JsonObject; deployedConfig: JsonObject; observedCoverage: Coverage; healBackoff: JsonObject }
>
export type StackStatus = Stack['status']

export const stackCodec = makeCodec<Database['stacks'], Stack>({
  json: ['config', 'deployedConfig', 'observedCoverage', 'healBackoff'],
})
const stacks = makeEntity<'stacks', Stack>({
  table: 'stacks',
  prefix: 'stack',
  codec: stackCodec,
  times: ['createdAt', 'updatedAt'],
  change: ({ id, repositoryId }) => ({ topic: 'stack', id, stackId: id, repositoryId }),
})

/** Who a stack is, for ever; everything else of it may change. */
export type StackIdentity = Pick<Stack, 'repositoryId' | 'environment' | 'name'>
/** `moves` is counted by the runs. */
export type StackPatch = Partial<Omit<Stack, keyof StackIdentity | 'id' | 'moves' | 'createdAt' | 'updatedAt'>>

/** Makes the stack of this identity (status `new`), or sets these members of the one that exists. */
export async function upsertStack(
  tx: Queries,
  stack: StackIdentity & Pick<Stack, 'path' | 'driver' | 'config'> & StackPatch,
): Promise<Stack> {
  const { repositoryId, environment, name, ...members } = stack
  const known = await findStack(tx, { repositoryId, environment, name })
  if (known) return stacks.update(tx, known.id, members)
  const fresh: New<Stack> = { status: 'new', moves: 0, ...stack }
  return stacks.insert(tx, fresh)
}

export const getStack = (db: Queries, id: string): Promise<Stack | undefined> => stacks.get(db, id)

/** The stack, or NOT_FOUND. */
export const requireStack = (db: Queries, id: string): Promise<Stack> => stacks.require(db, id)

export const findStack = (db: Queries, identity: StackIdentity): Promise<Stack | undefined> => {
  const { repositoryId, environment, name } = identity
  return stacks.find(db, { repositoryId, environment, name })
}

/** NOT_FOUND where there is none. */
export const patchStack = (tx: Queries, id: string, patch: StackPatch): Promise<Stack> => stacks.update(tx, id, patch)

export interface StackFilter extends FoundBy {
  repositoryId?: string
  environment?: string
  statuses?: readonly StackStatus[]
  /** Removed ones too; they are left out otherwise. */
  removed?: boolean
}

const filtered = (db: Queries, filter: StackFilter) => {
  let query = db.selectFrom('stacks').selectAll()
  if (filter.repositoryId !== undefined) query = query.where('repositoryId', '=', filter.repositoryId)
  if (filter.environment !== undefined) query = query.where('environment', '=', filter.environment)
  for (const condition of foundBy(filter)) query = query.where(condition)
  if (filter.statuses) query = query.where('status', 'in', [...filter.statuses])
  if (!filter.removed) query = query.where('removedAt', 'is', null)
  return query
}

/** Oldest first. */
export async function listStacks(db: Queries, filter: StackFilter = {}, page: PageRequest = {}): Promise<Page<Stack>> {
  let query = filtered(db, filter)
  if (page.cursor !== undefined) query = query.where('id', '>', page.cursor)
  if (filter.repositoryId !== undefined) {
    let ids = filtered(db, filter).clearSelect().select('id')
    if (page.cursor !== undefined) ids = ids.where('id', '>', page.cursor)
    // Rows that are passed over are not read: they hold whole configurations.
    query = query.where('id', 'in', ids.orderBy('id').limit(pageLimit(page) + 1))
  }
  const rows = await query
    .orderBy('id')
    .limit(pageLimit(page) + 1)
    .execute()
  return pageOf(rows.map(stackCodec.fromRow), page, (stack) => stack.id)
}

/** Every stack that matches, in the order of environment and name: what the engine compares with the configuration. */
export async function allStacks(db: Queries, filter: StackFilter & { repositoryId: string }): Promise<Stack[]> {
  const rows = await filtered(db, filter).orderBy('environment').orderBy('name').execute()
  return rows.map(stackCodec.fromRow)
}

/** What is deployed and has its workers in one of these pools, by id. */
export async function stacksOfPools(db: Queries, pools: readonly string[]): Promise<Stack[]> {
  if (pools.length === 0) return []
  const rows = await db
    .selectFrom('stacks')
    .selectAll()
    .where('deployedPool', 'in', pools)
    .where('removedAt', 'is', null)
    .orderBy('id')
    .execute()
  return rows.map(stackCodec.fromRow)
}

/** Stacks whose drift check is due, the longest waiting first. */
export async function stacksDueForDrift(db: Queries, now: number, limit: number): Promise<Stack[]> {
  const rows = await db
    .selectFrom('stacks')
    .selectAll()
    .where('nextDriftAt', '<=', now)
    .where('removedAt', 'is', null)
    .orderBy('nextDriftAt')
    .limit(limit)
    .execute()
  return rows.map(stackCodec.fromRow)
}

/** After the clock was set back: the checks that are planned keep their distance from now. */
export async function hastenDriftChecks(tx: Queries, byMs: number): Promise<void> {
  await tx
    .updateTable('stacks')
    .set((stack) => ({ nextDriftAt: stack('nextDriftAt', '-', byMs) }))
    .where('nextDriftAt', 'is not', null)
    .execute()
}

/** When the next drift check is due, null where none is planned. */
export async function nextDriftAt(db: Queries): Promise<number | null> {
  const row = await db
    .selectFrom('stacks')
    .select((stack) => stack.fn.min('nextDriftAt').as('at'))
    .where('nextDriftAt', 'is not', null)
    .where('removedAt', 'is', null)
    .executeTakeFirst()
  return row?.at ?? null
}

/** What the last looks at all stacks saw, and how many stacks have each status, over all repositories. */
export async function countLooks(
  db: Queries,
): Promise<{ status: StackStatus; stacks: number; checked: number; unchecked: number }[]> {
  const rows = await db
    .selectFrom('stacks')
    .select([
      'status',
      (stack) => stack.fn.countAll<number>().as('stacks'),
      (stack) => stack.fn.sum<number | null>('observedChecked').as('checked'),
      (stack) => stack.fn.sum<number | null>('observedUnchecked').as('unchecked'),
    ])
    .where('removedAt', 'is', null)
    .groupBy('status')
    .execute()
  return rows.map(({ status, stacks, checked, unchecked }) => ({
    status,
    stacks: Number(stacks),
    checked: Number(checked ?? 0),
    unchecked: Number(unchecked ?? 0),
  }))
}

/** How many stacks of a repository have each status, removed ones left out. */
export async function countStacksByStatus(
  db: Queries,
  repositoryId: string,
): Promise<{ environment: string; status: StackStatus; count: number }[]> {
  const rows = await db
    .selectFrom('stacks')
    .select(['environment', 'status', (stack) => stack.fn.countAll<number>().as('count')])
    .where('repositoryId', '=', repositoryId)
    .where('removedAt', 'is', null)
    .groupBy(['environment', 'status'])
    .orderBy('environment')
    .orderBy('status')
    .execute()
  return rows.map((row) => ({ ...row, count: Number(row.count) }))
}
