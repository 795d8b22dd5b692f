import type { ErrorBody } from '../../lib/errors/error.ts'
import { type FromRow, makeCodec } from '../database/codec.ts'
import { nowOf, type Queries } from '../database/context.ts'
import { makeEntity, type New } from '../database/entity.ts'
import type { Database } from '../database/schema.ts'

export type Connection = FromRow<Database['connections'], { problem: ErrorBody }>

const connections = makeEntity<'connections', Connection>({
  table: 'connections',
  prefix: 'conn',
  noun: 'connection',
  codec: makeCodec({ json: ['problem'] }),
  change: ({ repositoryId }) => ({ topic: 'repository', id: repositoryId, repositoryId }),
})

/** CONFLICT where the repository is connected already. */
export const createConnection = (tx: Queries, connection: New<Connection>): Promise<Connection> =>
  connections.insert(tx, connection)
export const connectionOf = (db: Queries, repositoryId: string): Promise<Connection | undefined> =>
  connections.find(db, { repositoryId })
export const allConnections = (db: Queries): Promise<Connection[]> => connections.all(db, {})
/** The one of this repository of a forge, whatever it is called now. */
export const findConnection = (db: Queries, address: string, remoteId: string): Promise<Connection | undefined> =>
  connections.find(db, { address, remoteId })

/** NOT_FOUND where there is none any more. */
export const patchConnection = (tx: Queries, id: string, patch: Partial<Connection>): Promise<Connection> =>
  connections.update(tx, id, patch)

export async function deleteConnection(tx: Queries, { id, repositoryId }: Connection): Promise<void> {
  await tx.deleteFrom('connections').where('id', '=', id).execute()
  await tx.deleteFrom('forgeCommands').where('repositoryId', '=', repositoryId).execute()
  await tx.deleteFrom('hookDeliveries').where('repositoryId', '=', repositoryId).execute()
}

/** Repositories that are due for a look. */
export async function connectionsDue(db: Queries, now: number): Promise<string[]> {
  const rows = await db.selectFrom('connections').select('repositoryId').where('nextLookAt', '<=', now).execute()
  return rows.map(({ repositoryId }) => repositoryId)
}

/** Deliveries are forgotten after this: a forge repeats one for hours, and a look does no harm anyway. */
const DELIVERIES_KEPT_MS = 3 * 24 * 60 * 60_000

/** Notes a delivery of a webhook; false where it was taken before. */
export async function takeDelivery(tx: Queries, repositoryId: string, deliveryId: string): Promise<boolean> {
  const at = nowOf(tx)
  await tx
    .deleteFrom('hookDeliveries')
    .where('repositoryId', '=', repositoryId)
    .where('at', '<', at - DELIVERIES_KEPT_MS)
    .execute()
  const result = await tx
    .insertInto('hookDeliveries')
    .values({ repositoryId, deliveryId, at })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst()
  return (result.numInsertedOrUpdatedRows ?? 0n) > 0n
}
