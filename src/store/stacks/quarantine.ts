import { nowOf, type Queries } from '../database/context.ts'
import { makePlainEntity, type New } from '../database/entity.ts'
import type { Database } from '../database/schema.ts'

/** A desired state that must not be deployed again. */
export type Quarantined = Database['quarantine']

const quarantine = makePlainEntity({
  table: 'quarantine',
  prefix: 'quarantine',
  change: ({ stackId, repositoryId }) => ({ topic: 'stack', id: stackId, stackId, repositoryId }),
})

export const createQuarantine = (tx: Queries, entry: New<Quarantined>): Promise<Quarantined> =>
  quarantine.insert(tx, entry)
export const getQuarantine = (db: Queries, id: string): Promise<Quarantined | undefined> => quarantine.get(db, id)

/** The standing quarantine of a desired state, if there is one. */
export const findQuarantine = (db: Queries, stackId: string, desiredDigest: string): Promise<Quarantined | undefined> =>
  quarantine.find(db, { stackId, desiredDigest, liftedAt: null })

/** The same for many: the desired digest of each stack, by its id. */
export async function findQuarantines(
  db: Queries,
  digests: ReadonlyMap<string, string>,
): Promise<Map<string, Quarantined>> {
  const found = new Map<string, Quarantined>()
  if (digests.size === 0) return found
  const rows = await db
    .selectFrom('quarantine')
    .selectAll()
    .where('stackId', 'in', [...digests.keys()])
    .where('liftedAt', 'is', null)
    .orderBy('id', 'desc')
    .execute()
  // The oldest last, since that is the one that counts.
  for (const row of rows) if (digests.get(row.stackId) === row.desiredDigest) found.set(row.stackId, row)
  return found
}

/** Standing ones, oldest first. */
export const listQuarantine = (
  db: Queries,
  filter: Partial<Pick<Quarantined, 'repositoryId' | 'stackId'>>,
): Promise<Quarantined[]> => quarantine.all(db, { ...filter, liftedAt: null })

/** Those that a merge request has put, lifted ones too. */
export const quarantineOf = (db: Queries, mrId: string): Promise<Quarantined[]> => quarantine.all(db, { mrId })

/** NOT_FOUND where there is none. `byId` null: with the merge request that had put it. */
export const liftQuarantine = (
  tx: Queries,
  id: string,
  { reason, byId }: { reason: string; byId: string | null },
): Promise<Quarantined> => quarantine.update(tx, id, { liftedAt: nowOf(tx), liftedReason: reason, liftedById: byId })

/** It stands for another merge request from now on. */
export const moveQuarantine = (tx: Queries, id: string, mrId: string): Promise<Quarantined> =>
  quarantine.update(tx, id, { mrId })
