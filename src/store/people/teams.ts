import type { Queries } from '../database/context.ts'
import { makePlainEntity, type New } from '../database/entity.ts'
import type { Database } from '../database/schema.ts'

export type Team = Database['teams']

const teams = makePlainEntity({
  table: 'teams',
  prefix: 'team',
  change: (team) => ({ topic: 'settings', id: team.id }),
})

/** CONFLICT when the name is taken. */
export const createTeam = (tx: Queries, team: New<Team>): Promise<Team> => teams.insert(tx, team)
export const findTeamByName = (db: Queries, name: string): Promise<Team | undefined> => teams.find(db, { name })
export const listTeams = (db: Queries): Promise<Team[]> => teams.all(db, {})

export async function addTeamMember(tx: Queries, teamId: string, userId: string): Promise<void> {
  await tx
    .insertInto('teamMembers')
    .values({ teamId, userId })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

export async function removeTeamMember(tx: Queries, teamId: string, userId: string): Promise<void> {
  await tx.deleteFrom('teamMembers').where('teamId', '=', teamId).where('userId', '=', userId).execute()
}

/** Ids of a team's members. */
export async function teamMembers(db: Queries, teamId: string): Promise<string[]> {
  const rows = await db
    .selectFrom('teamMembers')
    .select('userId')
    .where('teamId', '=', teamId)
    .orderBy('userId')
    .execute()
  return rows.map((row) => row.userId)
}

/** Teams that a user is in. */
export function teamsOfUser(db: Queries, userId: string): Promise<Team[]> {
  return db
    .selectFrom('teams')
    .innerJoin('teamMembers', 'teamMembers.teamId', 'teams.id')
    .selectAll('teams')
    .where('teamMembers.userId', '=', userId)
    .orderBy('teams.name')
    .execute()
}
