import { canonicalJson, type JsonObject } from '../../lib/json.ts'
import { nowOf, type Queries } from '../database/context.ts'
import { type FromRow, makeCodec } from '../database/codec.ts'
import { makePlainEntity, type New } from '../database/entity.ts'
import type { Page, PageRequest } from '../database/page.ts'
import { pageLimit, pageOf } from '../database/page.ts'
import type { Database } from '../database/schema.ts'

/** One version of a Terraform state with its sealed content. */
export type StateVersion = Database['stateVersions']
export type StateVersionInfo = Omit<StateVersion, 'sealed'>
export type StateLock = FromRow<Database['stateLocks'], { info: JsonObject }>

const versions = makePlainEntity({ table: 'stateVersions', prefix: 'state', noun: 'state version' })
const lockCodec = makeCodec<Database['stateLocks'], StateLock>({ json: ['info'] })

const INFO = [
  'id',
  'stackId',
  'workspace',
  'version',
  'lineage',
  'serial',
  'md5',
  'runId',
  'actorId',
  'createdAt',
] as const

/** CONFLICT when the version exists: someone else wrote it meanwhile. */
export const createStateVersion = (tx: Queries, version: New<StateVersion>): Promise<StateVersion> =>
  versions.insert(tx, version)

/** The current one. */
export const latestStateVersion = (
  db: Queries,
  stackId: string,
  workspace: string,
): Promise<StateVersion | undefined> =>
  db
    .selectFrom('stateVersions')
    .selectAll()
    .where('stackId', '=', stackId)
    .where('workspace', '=', workspace)
    .orderBy('version', 'desc')
    .limit(1)
    .executeTakeFirst()

export const findStateVersion = (
  db: Queries,
  stackId: string,
  workspace: string,
  version: number,
): Promise<StateVersion | undefined> => versions.find(db, { stackId, workspace, version })

/** Newest first, without the contents. The cursor is the version. */
export async function listStateVersions(
  db: Queries,
  stackId: string,
  workspace: string,
  page: PageRequest = {},
): Promise<Page<StateVersionInfo>> {
  let query = db
    .selectFrom('stateVersions')
    .select(INFO)
    .where('stackId', '=', stackId)
    .where('workspace', '=', workspace)
  if (page.cursor !== undefined) query = query.where('version', '<', Number(page.cursor))
  const rows = await query
    .orderBy('version', 'desc')
    .limit(pageLimit(page) + 1)
    .execute()
  return pageOf(rows, page, (version) => String(version.version))
}

/** Names of the workspaces that have a state. */
export async function listStateWorkspaces(db: Queries, stackId: string): Promise<string[]> {
  const rows = await db
    .selectFrom('stateVersions')
    .select('workspace')
    .distinct()
    .where('stackId', '=', stackId)
    .orderBy('workspace')
    .execute()
  return rows.map((row) => row.workspace)
}

/** Keeps the newest `keep` versions. Returns how many went. */
export async function pruneStateVersions(
  tx: Queries,
  stackId: string,
  workspace: string,
  keep: number,
): Promise<number> {
  const latest = await latestStateVersion(tx, stackId, workspace)
  if (!latest) return 0
  const gone = await tx
    .deleteFrom('stateVersions')
    .where('stackId', '=', stackId)
    .where('workspace', '=', workspace)
    .where('version', '<=', latest.version - Math.max(keep, 1))
    .executeTakeFirst()
  return Number(gone.numDeletedRows)
}

export async function getStateLock(db: Queries, stackId: string, workspace: string): Promise<StateLock | undefined> {
  const row = await db
    .selectFrom('stateLocks')
    .selectAll()
    .where('stackId', '=', stackId)
    .where('workspace', '=', workspace)
    .executeTakeFirst()
  return row && lockCodec.fromRow(row)
}

/** Every lock of a stack, whatever its workspace. */
export async function listStateLocks(db: Queries, stackId: string): Promise<StateLock[]> {
  const rows = await db
    .selectFrom('stateLocks')
    .selectAll()
    .where('stackId', '=', stackId)
    .orderBy('workspace')
    .execute()
  return rows.map(lockCodec.fromRow)
}

/** Takes the lock, or gives the one that is held. */
export async function takeStateLock(
  tx: Queries,
  lock: Omit<StateLock, 'createdAt'>,
): Promise<{ taken: boolean; lock: StateLock }> {
  const { info, ...columns } = lock
  const row = await tx
    .insertInto('stateLocks')
    .values({ ...columns, infoJson: canonicalJson(info), createdAt: nowOf(tx) })
    .onConflict((conflict) => conflict.columns(['stackId', 'workspace']).doNothing())
    .returningAll()
    .executeTakeFirst()
  if (row) return { taken: true, lock: lockCodec.fromRow(row) }
  const held = await getStateLock(tx, lock.stackId, lock.workspace)
  if (!held) throw new Error('a state lock vanished within a transaction')
  return { taken: false, lock: held }
}

/** Frees a lock: the one with this id, or whichever is held when `lockId` is null (force-unlock). False where none was. */
export async function freeStateLock(
  tx: Queries,
  stackId: string,
  workspace: string,
  lockId: string | null,
): Promise<boolean> {
  let query = tx.deleteFrom('stateLocks').where('stackId', '=', stackId).where('workspace', '=', workspace)
  if (lockId !== null) query = query.where('lockId', '=', lockId)
  return (await query.executeTakeFirst()).numDeletedRows > 0n
}
