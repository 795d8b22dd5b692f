import { nowOf, type Queries } from '../database/context.ts'
import { makePlainEntity, type New } from '../database/entity.ts'
import type { Database } from '../database/schema.ts'

/** What people are to know of an environment; it stops nothing. */
export type Notice = Database['notices']

const notices = makePlainEntity({
  table: 'notices',
  prefix: 'notice',
  change: ({ id, repositoryId }) => ({ topic: 'notice', id, repositoryId }),
})

export const createNotice = (tx: Queries, notice: New<Notice>): Promise<Notice> => notices.insert(tx, notice)
export const getNotice = (db: Queries, id: string): Promise<Notice | undefined> => notices.get(db, id)

/** Those that stand now (not withdrawn, not over), oldest first. */
export async function activeNotices(
  db: Queries,
  filter: Partial<Pick<Notice, 'repositoryId' | 'environment'>> = {},
): Promise<Notice[]> {
  const now = nowOf(db)
  const standing = await notices.all(db, { ...filter, withdrawnAt: null })
  return standing.filter(({ until }) => until === null || until > now)
}

/** NOT_FOUND where there is none. */
export const withdrawNotice = (tx: Queries, id: string): Promise<Notice> =>
  notices.update(tx, id, { withdrawnAt: nowOf(tx) })
