import { z } from 'zod'
import { votesChanged } from '../../engine/merge-requests/people-changed.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import { appendAudit } from '../../store/audit/audit.ts'
import type { Queries } from '../../store/open.ts'
import {
  addTeamMember,
  createTeam,
  findTeamByName,
  listTeams,
  removeTeamMember,
  teamMembers,
  type Team as TeamRow,
} from '../../store/people/teams.ts'
import { getUser } from '../../store/people/users.ts'
import { PageQuery, pageInMemory, pageOf } from '../pagination.ts'
import type { RouteModule } from '../parts.ts'
import { Name } from '../schemas/common.ts'
import { NewTeam, Team, TeamName } from '../schemas/people.ts'
import { by, userNamed } from './users.ts'

/** Teams give approvals (`from: [team:platform]`); who is in one decides what can be merged, so changes are audited. */
export const teamRoutes: RouteModule<'store'> = (app, { store }) => {
  const tags = ['teams']

  app.get(
    '/api/v1/teams',
    {
      config: { action: 'team.list' },
      schema: {
        tags,
        summary: 'All teams with their members',
        querystring: PageQuery,
        response: { 200: pageOf(Team) },
      },
    },
    async (request) => {
      const page = pageInMemory(await listTeams(store.db), request.query, (team) => team.name)
      return { items: await Promise.all(page.items.map((team) => show(store.db, team))), next: page.next }
    },
  )

  app.post(
    '/api/v1/teams',
    {
      config: { action: 'team.manage' },
      schema: { tags, summary: 'Make a team', body: NewTeam, response: { 201: Team } },
    },
    async (request, reply) => {
      const { name, members } = request.body
      const team = await store.transaction(async (tx) => {
        if (await findTeamByName(tx, name)) {
          throw new TrueupError('CONFLICT', { doing: `making team "${name}"`, why: 'there is one of that name' })
        }
        const created = await createTeam(tx, { name })
        for (const member of members) {
          const { id: userId } = await userNamed(tx, member)
          await addTeamMember(tx, created.id, userId)
          await votesChanged(tx, { userId })
        }
        await appendAudit(tx, { ...by(request), action: 'team.create', subject: created.id, data: { name, members } })
        return teamNamed(tx, name)
      })
      return reply.code(201).send(team)
    },
  )

  const membership = z.object({ team: TeamName, user: Name })
  for (const [method, change, action] of [
    ['PUT', addTeamMember, 'team.member_add'],
    ['DELETE', removeTeamMember, 'team.member_remove'],
  ] as const) {
    app.route({
      method,
      url: '/api/v1/teams/:team/members/:user',
      config: { action: 'team.manage' },
      schema: {
        tags,
        summary: method === 'PUT' ? 'Put a person into a team' : 'Take a person out of a team',
        params: membership,
        response: { 200: Team },
      },
      handler: (request) =>
        store.transaction(async (tx) => {
          const { team: teamName, user: userName } = request.params as z.infer<typeof membership>
          const team = await teamNamed(tx, teamName)
          const user = await userNamed(tx, userName)
          await change(tx, team.id, user.id)
          await votesChanged(tx, { userId: user.id })
          await appendAudit(tx, {
            ...by(request),
            action,
            subject: team.id,
            data: { team: team.name, user: user.name },
          })
          return teamNamed(tx, teamName)
        }),
    })
  }
}

async function teamNamed(db: Queries, name: string): Promise<z.infer<typeof Team>> {
  const team = await findTeamByName(db, name)
  if (team) return show(db, team)
  throw new TrueupError('NOT_FOUND', {
    doing: `looking for team "${name}"`,
    why: 'there is no team of that name',
    next: '`trueup team list` shows all.',
  })
}

async function show(db: Queries, team: TeamRow): Promise<z.infer<typeof Team>> {
  const people = await Promise.all((await teamMembers(db, team.id)).map((id) => getUser(db, id)))
  const members = people.flatMap((person) => (person ? [person.name] : [])).sort()
  return { id: team.id, name: team.name, members, createdAt: team.createdAt }
}
