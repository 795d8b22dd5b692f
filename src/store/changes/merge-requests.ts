import { type ErrorBody, TrueupError } from '../../lib/errors/error.ts'
import type { Queries } from '../database/context.ts'
import { type FromRow, makeCodec } from '../database/codec.ts'
import { makeEntity, type New } from '../database/entity.ts'
import { combinations, newestOf } from '../database/newest.ts'
import { type Page, type PageRequest, pageLimit, pageOf } from '../database/page.ts'
import type { Database } from '../database/schema.ts'

/** A person who may vote although commits name them: who has let them, why, and which commits that was said of. */
export interface LiftedName {
  userId: string
  commits: string[]
  byId: string
  reason: string
  at: number
}

export type MergeRequest = FromRow<
  Database['mergeRequests'],
  { conflicts: string[]; problems: ErrorBody[]; lifted: LiftedName[] },
  'draft'
>

const codec = makeCodec<Database['mergeRequests'], MergeRequest>({
  json: ['originDetail', 'conflicts', 'problems', 'previews', 'lifted'],
  flags: ['draft'],
})

const mergeRequests = makeEntity<'mergeRequests', MergeRequest>({
  table: 'mergeRequests',
  prefix: 'mr',
  noun: 'merge request',
  codec,
  times: ['createdAt', 'updatedAt'],
  change: (mr) => ({ topic: 'mr', id: mr.id, repositoryId: mr.repositoryId }),
})

/** Made open. CONFLICT when the two branches have an open merge request already, or the number is taken. */
export const createMergeRequest = (
  tx: Queries,
  mr: Omit<New<MergeRequest>, 'state'> & { state?: MergeRequest['state'] },
): Promise<MergeRequest> => mergeRequests.insert(tx, { state: 'open', ...mr })

export const getMergeRequest = (db: Queries, id: string): Promise<MergeRequest | undefined> => mergeRequests.get(db, id)

/** The merge request, or NOT_FOUND. */
export async function requireMergeRequest(db: Queries, id: string, doing: string): Promise<MergeRequest> {
  const mr = await getMergeRequest(db, id)
  if (!mr) throw new TrueupError('NOT_FOUND', { doing, why: `there is no merge request ${id}` })
  return mr
}

/** The merge request while it is open, or CONFLICT that says what it is now. */
export async function requireOpenMergeRequest(db: Queries, id: string, doing: string): Promise<MergeRequest> {
  const mr = await requireMergeRequest(db, id, doing)
  if (mr.state !== 'open') throw new TrueupError('CONFLICT', { doing, why: `!${mr.number} is ${mr.state}` })
  return mr
}

export const findMergeRequestByNumber = (
  db: Queries,
  repositoryId: string,
  number: number,
): Promise<MergeRequest | undefined> => mergeRequests.find(db, { repositoryId, number })

/** NOT_FOUND; CONFLICT as for createMergeRequest. */
export const patchMergeRequest = (
  tx: Queries,
  id: string,
  patch: Partial<Omit<MergeRequest, 'id' | 'repositoryId' | 'number'>>,
): Promise<MergeRequest> => mergeRequests.update(tx, id, patch)

export interface MergeRequestFilter {
  ids?: readonly string[]
  repositoryId?: string
  states?: readonly MergeRequest['state'][]
  sourceBranch?: string
  targetBranch?: string
  authorId?: string
  /** The merge commit, prepared or merged. */
  mergeOid?: string
  headOid?: string
}

/** Newest first. */
export async function listMergeRequests(
  db: Queries,
  filter: MergeRequestFilter = {},
  page: PageRequest = {},
): Promise<Page<MergeRequest>> {
  let query = db.selectFrom('mergeRequests').selectAll()
  if (filter.ids) query = query.where('id', 'in', [...filter.ids])
  if (filter.repositoryId !== undefined) query = query.where('repositoryId', '=', filter.repositoryId)
  if (filter.states) query = query.where('state', 'in', [...filter.states])
  const { repositoryId, states } = filter
  if (repositoryId !== undefined && states && !filter.ids && filter.mergeOid === undefined) {
    const { sourceBranch, targetBranch, authorId } = filter
    const also = Object.entries({ sourceBranch, targetBranch, authorId }).flatMap(([column, value]) =>
      value === undefined ? [] : [{ column, oneOf: [value] }],
    )
    const parts = combinations({ repositoryId: [repositoryId], state: states })
    query = query.where('id', 'in', newestOf('mergeRequests', parts, page, also))
  }
  if (filter.sourceBranch !== undefined) query = query.where('sourceBranch', '=', filter.sourceBranch)
  if (filter.targetBranch !== undefined) query = query.where('targetBranch', '=', filter.targetBranch)
  if (filter.authorId !== undefined) query = query.where('authorId', '=', filter.authorId)
  if (filter.mergeOid !== undefined) query = query.where('mergeOid', '=', filter.mergeOid)
  if (filter.headOid !== undefined) query = query.where('headOid', '=', filter.headOid)
  if (page.cursor !== undefined) query = query.where('id', '<', page.cursor)
  const rows = await query
    .orderBy('id', 'desc')
    .limit(pageLimit(page) + 1)
    .execute()
  return pageOf(rows.map(codec.fromRow), page, (mr) => mr.id)
}

/** The highest number that a merge request of a repository has; 0 where there is none. */
export async function newestMrNumber(db: Queries, repositoryId: string): Promise<number> {
  const row = await db
    .selectFrom('mergeRequests')
    .select((mr) => mr.fn.max('number').as('newest'))
    .where('repositoryId', '=', repositoryId)
    .executeTakeFirst()
  return Number(row?.newest ?? 0)
}
