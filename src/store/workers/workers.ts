import type { Json } from '../../lib/json.ts'
import { noteChange, nowOf, type Queries } from '../database/context.ts'
import { type FromRow, makeCodec } from '../database/codec.ts'
import { makeEntity, type New } from '../database/entity.ts'
import { inList, MOST_IN_LIST } from '../database/in-list.ts'
import type { Page, PageRequest } from '../database/page.ts'
import type { Database } from '../database/schema.ts'

/** Whose runs a worker is given: ids of repositories and names of environments; an empty list means all. */
export interface Scope {
  repositories: string[]
  environments: string[]
}

/** `publicKey` is a JWK, `info` what the worker said of itself. */
export type Worker = FromRow<
  Database['workers'],
  Scope & {
    pools: string[]
    publicKey: { [member: string]: Json }
    formerKey: { [member: string]: Json }
    info: { [member: string]: Json }
  },
  'builtin'
>
export type Enrolment = FromRow<Database['enrolments'], Scope & { pools: string[] }, 'builtin'>

const EVERYTHING: Scope = { repositories: [], environments: [] }

const workerCodec = makeCodec<Database['workers'], Worker>({
  json: ['pools', 'repositories', 'environments', 'publicKey', 'formerKey', 'info'],
  flags: ['builtin'],
})

const workers = makeEntity<'workers', Worker>({
  table: 'workers',
  prefix: 'worker',
  codec: workerCodec,
  change: ({ id }) => ({ topic: 'worker', id }),
})

const enrolments = makeEntity<'enrolments', Enrolment>({
  table: 'enrolments',
  prefix: 'enrolment',
  codec: makeCodec({ json: ['pools', 'repositories', 'environments'], flags: ['builtin'] }),
})

/** CONFLICT when a worker that is not revoked has the name. */
export const createWorker = (
  tx: Queries,
  worker: Omit<New<Worker>, 'info' | keyof Scope> & Partial<Pick<Worker, 'info' | keyof Scope>>,
): Promise<Worker> => workers.insert(tx, { info: {}, ...EVERYTHING, ...worker })
export const getWorker = (db: Queries, id: string): Promise<Worker | undefined> => workers.get(db, id)
/** NOT_FOUND where there is none. */
export const requireWorker = (db: Queries, id: string): Promise<Worker> => workers.require(db, id)
export const findWorkerByName = (db: Queries, name: string): Promise<Worker | undefined> =>
  workers.find(db, { name, revokedAt: null })
/** Whether a worker is enrolled for what belongs to this repository and environment. */
export const isInScope = (
  { repositories, environments }: Scope,
  place: { repositoryId: string; environment: string },
): boolean =>
  (repositories.length === 0 || repositories.includes(place.repositoryId)) &&
  (environments.length === 0 || environments.includes(place.environment))

/** NOT_FOUND where there is none. */
export const patchWorker = (
  tx: Queries,
  id: string,
  patch: Partial<
    Pick<
      Worker,
      'name' | 'pools' | 'info' | 'publicKey' | 'formerKey' | 'formerKeyUntil' | 'keyChangedAt' | 'keyAskedAt'
    >
  >,
): Promise<Worker> => workers.update(tx, id, patch)
/** Those of these ids that there are. */
export async function workersByIds(db: Queries, ids: readonly string[]): Promise<Worker[]> {
  const found: Worker[] = []
  for (let from = 0; from < ids.length; from += MOST_IN_LIST) {
    const some = inList(ids.slice(from, from + MOST_IN_LIST))
    const rows = await db.selectFrom('workers').selectAll().where('id', 'in', some).execute()
    for (const row of rows) found.push(workerCodec.fromRow(row))
  }
  return found
}
/** Oldest first. */
export const listWorkers = (db: Queries, page: PageRequest = {}): Promise<Page<Worker>> =>
  workers.list(db, {}, page, 'asc')
/** Pools of all workers that are not revoked. */
export async function enrolledPools(db: Queries): Promise<Set<string>> {
  const rows = await db.selectFrom('workers').select('poolsJson').distinct().where('revokedAt', 'is', null).execute()
  return new Set(rows.flatMap(({ poolsJson }) => JSON.parse(poolsJson) as string[]))
}
/** NOT_FOUND where there is none. */
export const revokeWorker = (tx: Queries, id: string): Promise<Worker> =>
  workers.update(tx, id, { revokedAt: nowOf(tx) })

/** Notes that workers were heard of just now. */
export async function touchWorkers(db: Queries, ids: readonly string[]): Promise<void> {
  for (let from = 0; from < ids.length; from += MOST_IN_LIST) {
    const some = ids.slice(from, from + MOST_IN_LIST)
    await db
      .updateTable('workers')
      .set({ lastSeenAt: nowOf(db) })
      .where('id', 'in', inList(some))
      .execute()
    for (const id of some) noteChange(db, { topic: 'worker', id, seen: true })
  }
}

export const createEnrolment = (
  tx: Queries,
  enrolment: Omit<New<Enrolment>, 'builtin' | keyof Scope> & Partial<Scope> & { builtin?: boolean },
): Promise<Enrolment> => enrolments.insert(tx, { builtin: false, ...EVERYTHING, ...enrolment })

/** Uses up an enrolment token: null when it is unknown, over, or was used. */
export async function useEnrolment(tx: Queries, tokenHash: string): Promise<Enrolment | null> {
  const now = nowOf(tx)
  const row = await tx
    .updateTable('enrolments')
    .set({ usedAt: now })
    .where('tokenHash', '=', tokenHash)
    .where('usedAt', 'is', null)
    .where('expiresAt', '>', now)
    .returning('id')
    .executeTakeFirst()
  return row ? enrolments.require(tx, row.id) : null
}
