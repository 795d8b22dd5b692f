import type { Action } from '../../domain/plans/plan.ts'
import { newId } from '../../lib/ids.ts'
import type { Json } from '../../lib/json.ts'
import { noteChange, nowOf, type Queries } from '../database/context.ts'
import { type FromRow, makeCodec } from '../database/codec.ts'
import { makeEntity, type New } from '../database/entity.ts'
import { type Page, type PageRequest, pageLimit, pageOf } from '../database/page.ts'
import type { Database } from '../database/schema.ts'

/** One attribute of one resource that differs. `actions` is the column's text: space separated plan actions. */
export type DriftRecord = FromRow<Database['driftRecords'], { expected: Json; actual: Json }>

const codec = makeCodec<Database['driftRecords'], DriftRecord>({ json: ['expected', 'actual'] })
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

/** CONFLICT when the attribute has an open record. */
export const createDriftRecord = (tx: Queries, record: New<DriftRecord>): Promise<DriftRecord> =>
  records.insert(tx, record)
export const getDriftRecord = (db: Queries, id: string): Promise<DriftRecord | undefined> => records.get(db, id)
/** NOT_FOUND; CONFLICT when it would be opened beside an open one. */
export const patchDriftRecord = (
  tx: Queries,
  id: string,
  patch: Partial<Omit<DriftRecord, 'id' | 'stackId' | 'address' | 'attribute'>>,
): Promise<DriftRecord> => records.update(tx, id, patch)

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
  let query = db.selectFrom('driftRecords').selectAll('driftRecords')
  const { repositoryId, environment, stackId, states } = filter
  if (repositoryId !== undefined)
    query = query.where((is) => {
      const own = is.selectFrom('stacks').select('stacks.id').where('stacks.repositoryId', '=', repositoryId)
      return is('stackId', 'in', environment === undefined ? own : own.where('stacks.environment', '=', environment))
    })
  if (stackId !== undefined) query = query.where('stackId', '=', stackId)
  if (states) query = query.where('state', 'in', [...states])
  if (page.cursor !== undefined) query = query.where('id', '<', page.cursor)
  const rows = await query
    .orderBy('id', 'desc')
    .limit(pageLimit(page) + 1)
    .execute()
  return pageOf(rows.map(codec.fromRow), page, (record) => record.id)
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
