import type { Action, ChangedBy } from '../../domain/plans/plan.ts'
import { newId } from '../../lib/ids.ts'
import type { Json } from '../../lib/json.ts'
import { noteChange, nowOf, type Queries } from '../database/context.ts'
import { type FromRow, makeCodec } from '../database/codec.ts'
import { makeEntity, type New } from '../database/entity.ts'
import { type Page, type PageRequest, pageLimit, pageOf } from '../database/page.ts'
import { combinations, newestOf } from '../database/newest.ts'
import type { Database } from '../database/schema.ts'
import { requireStack } from './stacks.ts'

/** One attribute of one resource that differs. `actions` is the column's text: space separated plan actions. */
export type DriftRecord = FromRow<Database['driftRecords'], { expected: Json; actual: Json; by: ChangedBy | null }>

const codec = makeCodec<Database['driftRecords'], DriftRecord>({ json: ['expected', 'actual', 'by'] })
const records = makeEntity<'driftRecords', DriftRecord>({
  table: 'driftRecords',
  prefix: 'drift',
  noun: 'drift record',
  codec,
  change: ({ id, stackId }) => ({ topic: 'drift', id, stackId }),
  times: [],
})

export const packActions = (actions: readonly Action[]): string => actions.join(' ')
export const unpackActions = (text: string): Action[] => (text === '' ? [] : (text.split(' ') as Action[]))

/** CONFLICT when the attribute has an open record; NOT_FOUND where there is no such stack. */
export async function createDriftRecord(
  tx: Queries,
  record: Omit<New<DriftRecord>, 'repositoryId' | 'environment'>,
): Promise<DriftRecord> {
  const { repositoryId, environment } = await requireStack(tx, record.stackId)
  return records.insert(tx, { ...record, repositoryId, environment })
}
export const getDriftRecord = (db: Queries, id: string): Promise<DriftRecord | undefined> => records.get(db, id)
/** NOT_FOUND; CONFLICT when it would be opened beside an open one. */
export const patchDriftRecord = (
  tx: Queries,
  id: string,
  patch: Partial<Omit<DriftRecord, 'id' | 'stackId' | 'address' | 'attribute'>>,
): Promise<DriftRecord> => records.update(tx, id, patch)

const DRIFT_STATES: readonly DriftRecord['state'][] = ['open', 'healed', 'codified', 'accepted', 'gone']

export interface DriftFilter {
  repositoryId?: string
  /** Name of an environment, together with `repositoryId`. */
  environment?: string
  stackId?: string
  states?: readonly DriftRecord['state'][]
}

/** Newest first. */
export async function listDriftRecords(
  db: Queries,
  filter: DriftFilter = {},
  page: PageRequest = {},
): Promise<Page<DriftRecord>> {
  const { repositoryId, environment, stackId, states = DRIFT_STATES } = filter
  const around = {
    ...(repositoryId !== undefined && { repositoryId: [repositoryId] }),
    ...(environment !== undefined && { environment: [environment] }),
  }
  let query = db.selectFrom('driftRecords').selectAll()
  // Conditions stand with the ids only: beside them they would lead a database through all records of a repository. A stack is
  // in one repository and environment for ever, and has so few that only its own index is wanted.
  const of = stackId !== undefined ? { stackId: [stackId] } : repositoryId !== undefined ? around : null
  if (of) query = query.where('id', 'in', newestOf('driftRecords', combinations({ ...of, state: states }), page))
  else {
    query = query.where('state', 'in', [...states])
    if (environment !== undefined) query = query.where('environment', '=', environment)
  }
  if (page.cursor !== undefined) query = query.where('id', '<', page.cursor)
  const rows = await query
    .orderBy('id', 'desc')
    .limit(pageLimit(page) + 1)
    .execute()
  const isElsewhere = rows.some(
    (row) =>
      (repositoryId !== undefined && row.repositoryId !== repositoryId) ||
      (environment !== undefined && row.environment !== environment),
  )
  return pageOf(isElsewhere ? [] : rows.map(codec.fromRow), page, (record) => record.id)
}

/** Open and accepted records of a stack, oldest first: all that a drift check compares with. */
export async function standingDrift(db: Queries, stackId: string): Promise<DriftRecord[]> {
  const rows = await db
    .selectFrom('driftRecords')
    .selectAll()
    .where('stackId', '=', stackId)
    .where('state', 'in', ['open', 'accepted'])
    .orderBy('id')
    .execute()
  return rows.map(codec.fromRow)
}

/** How many open records these stacks have; those with none are not there. */
export async function countOpenDrift(db: Queries, stackIds: readonly string[]): Promise<Map<string, number>> {
  if (stackIds.length === 0) return new Map()
  const rows = await db
    .selectFrom('driftRecords')
    .select(['stackId', (record) => record.fn.countAll<number>().as('open')])
    .where('stackId', 'in', [...stackIds])
    .where('state', '=', 'open')
    .groupBy('stackId')
    .execute()
  return new Map(rows.map(({ stackId, open }) => [stackId, Number(open)]))
}

/** Notes that attributes were healed now, for flap detection. */
export async function recordHeals(
  tx: Queries,
  stackId: string,
  healed: readonly { address: string; attribute: string }[],
): Promise<void> {
  const at = nowOf(tx)
  for (const { address, attribute } of healed)
    await tx
      .insertInto('heals')
      .values({ id: newId('heal', at), stackId, address, attribute, at })
      .execute()
  noteChange(tx, { topic: 'drift', id: stackId, stackId })
}

export type Heal = Database['heals']

/** Heals of a stack since a time, oldest first. */
export const healsSince = (db: Queries, stackId: string, since: number): Promise<Heal[]> =>
  db.selectFrom('heals').selectAll().where('stackId', '=', stackId).where('at', '>=', since).orderBy('at').execute()

/** Forgets heals that no window reaches any more. */
export async function deleteHealsBefore(tx: Queries, before: number): Promise<void> {
  await tx.deleteFrom('heals').where('at', '<', before).execute()
}
