import { noteChange, nowOf, type Queries } from '../database/context.ts'
import type { Database } from '../database/schema.ts'

/** A ref as it was last processed. */
export type Ref = Database['refs']

export const listRefs = (db: Queries, repositoryId: string): Promise<Ref[]> =>
  db.selectFrom('refs').selectAll().where('repositoryId', '=', repositoryId).orderBy('name').execute()

export const getRef = (db: Queries, repositoryId: string, name: string): Promise<Ref | undefined> =>
  db.selectFrom('refs').selectAll().where('repositoryId', '=', repositoryId).where('name', '=', name).executeTakeFirst()

/** Notes what a ref points at, new or known. */
export async function setRef(tx: Queries, repositoryId: string, name: string, oid: string): Promise<void> {
  const updatedAt = nowOf(tx)
  await tx
    .insertInto('refs')
    .values({ repositoryId, name, oid, updatedAt })
    .onConflict((conflict) => conflict.columns(['repositoryId', 'name']).doUpdateSet({ oid, updatedAt }))
    .execute()
  noteChange(tx, { topic: 'ref', id: `${repositoryId}:${name}`, repositoryId })
}

export async function deleteRef(tx: Queries, repositoryId: string, name: string): Promise<void> {
  await tx.deleteFrom('refs').where('repositoryId', '=', repositoryId).where('name', '=', name).execute()
  noteChange(tx, { topic: 'ref', id: `${repositoryId}:${name}`, repositoryId })
}

/** Notes who pushed a commit as the tip of a branch. Repeatable. */
export async function recordPusher(tx: Queries, repositoryId: string, oid: string, userId: string): Promise<void> {
  await tx
    .insertInto('pushes')
    .values({ repositoryId, oid, userId, at: nowOf(tx) })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

/** Few enough for the parameters of one statement. */
const AT_ONCE = 500

/** Ids of those who pushed one of these commits, each once. */
export async function pushersOf(db: Queries, repositoryId: string, oids: readonly string[]): Promise<string[]> {
  const found = new Set<string>()
  for (let from = 0; from < oids.length; from += AT_ONCE) {
    const rows = await db
      .selectFrom('pushes')
      .select('userId')
      .distinct()
      .where('repositoryId', '=', repositoryId)
      .where('oid', 'in', oids.slice(from, from + AT_ONCE))
      .execute()
    for (const { userId } of rows) found.add(userId)
  }
  return [...found]
}
