import { nowOf, type Queries } from '../database/context.ts'
import { makePlainEntity, type New } from '../database/entity.ts'
import type { Database } from '../database/schema.ts'

/** A stop of all deploys to an environment. */
export type Freeze = Database['freezes']

const freezes = makePlainEntity({
  table: 'freezes',
  prefix: 'freeze',
  change: ({ id, repositoryId }) => ({ topic: 'freeze', id, repositoryId }),
})

export const createFreeze = (tx: Queries, freeze: New<Freeze>): Promise<Freeze> => freezes.insert(tx, freeze)
export const getFreeze = (db: Queries, id: string): Promise<Freeze | undefined> => freezes.get(db, id)

/** Those in force now (not lifted, not over), oldest first. */
export async function activeFreezes(
  db: Queries,
  filter: Partial<Pick<Freeze, 'repositoryId' | 'environment'>> = {},
): Promise<Freeze[]> {
  const now = nowOf(db)
  const standing = await freezes.all(db, { ...filter, liftedAt: null })
  return standing.filter((freeze) => freeze.until === null || freeze.until > now)
}

/** NOT_FOUND where there is none. */
export const liftFreeze = (tx: Queries, id: string): Promise<Freeze> => freezes.update(tx, id, { liftedAt: nowOf(tx) })
