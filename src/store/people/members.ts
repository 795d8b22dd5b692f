import { noteChange, type Queries } from '../database/context.ts'
import type { Database } from '../database/schema.ts'

export type Member = Database['members']
export type Role = Member['role']

/** Gives a user a role in a repository, instead of the one that the user has. */
export async function setMember(tx: Queries, member: Member): Promise<void> {
  await tx
    .insertInto('members')
    .values(member)
    .onConflict((conflict) => conflict.columns(['repositoryId', 'userId']).doUpdateSet({ role: member.role }))
    .execute()
  noteChange(tx, { topic: 'settings', id: member.repositoryId, repositoryId: member.repositoryId })
}

export async function removeMember(tx: Queries, repositoryId: string, userId: string): Promise<void> {
  await tx.deleteFrom('members').where('repositoryId', '=', repositoryId).where('userId', '=', userId).execute()
  noteChange(tx, { topic: 'settings', id: repositoryId, repositoryId })
}

/** The user's role in a repository, null for none. */
export async function roleIn(db: Queries, repositoryId: string, userId: string): Promise<Role | null> {
  const row = await db
    .selectFrom('members')
    .select('role')
    .where('repositoryId', '=', repositoryId)
    .where('userId', '=', userId)
    .executeTakeFirst()
  return row?.role ?? null
}

export const listMembers = (db: Queries, repositoryId: string): Promise<Member[]> =>
  db.selectFrom('members').selectAll().where('repositoryId', '=', repositoryId).orderBy('userId').execute()

/** Repositories in which a user has a role. */
export const membershipsOf = (db: Queries, userId: string): Promise<Member[]> =>
  db.selectFrom('members').selectAll().where('userId', '=', userId).orderBy('repositoryId').execute()
