import { z } from 'zod'
import { votesChanged } from '../../engine/merge-requests/people-changed.ts'
import { appendAudit } from '../../store/audit/audit.ts'
import { listMembers, removeMember, setMember } from '../../store/people/members.ts'
import { getUser } from '../../store/people/users.ts'
import { repositoryOf } from '../auth/enforce.ts'
import { PageQuery, pageInMemory, pageOf } from '../pagination.ts'
import type { RouteModule } from '../parts.ts'
import { Done, InRepository, Name, Role } from '../schemas/common.ts'
import { Member } from '../schemas/people.ts'
import { by, userNamed } from './users.ts'

/** Roles of people in a repository. */
export const memberRoutes: RouteModule<'store'> = (app, { store }) => {
  const tags = ['repositories']
  const params = InRepository.extend({ user: Name })

  app.get(
    '/api/v1/repositories/:repository/members',
    {
      config: { action: 'member.list' },
      schema: {
        tags,
        summary: 'Who has which role',
        params: params.pick({ repository: true }),
        querystring: PageQuery,
        response: { 200: pageOf(Member) },
      },
    },
    async (request) => {
      const rows = await listMembers(store.db, repositoryOf(request).id)
      const members = await Promise.all(
        rows.map(async ({ userId, role }) => ({
          userId,
          role,
          user: (await getUser(store.db, userId))?.name ?? userId,
        })),
      )
      return pageInMemory(members, request.query, (member) => member.user)
    },
  )

  app.put(
    '/api/v1/repositories/:repository/members/:user',
    {
      config: { action: 'member.manage' },
      schema: {
        tags,
        summary: 'Give a person a role',
        params,
        body: z.strictObject({ role: Role }),
        response: { 200: Member },
      },
    },
    async (request) => {
      const { id, name } = repositoryOf(request)
      const { role } = request.body
      return store.transaction(async (tx) => {
        const user = await userNamed(tx, request.params.user)
        await setMember(tx, { repositoryId: id, userId: user.id, role })
        await votesChanged(tx, { userId: user.id, repositoryId: id })
        await appendAudit(tx, {
          ...by(request),
          action: 'member.set',
          subject: user.id,
          repositoryId: id,
          data: { repository: name, user: user.name, role },
        })
        return { user: user.name, userId: user.id, role }
      })
    },
  )

  app.delete(
    '/api/v1/repositories/:repository/members/:user',
    {
      config: { action: 'member.manage' },
      schema: { tags, summary: 'Take a person’s role away', params, response: { 200: Done } },
    },
    async (request) => {
      const { id, name } = repositoryOf(request)
      await store.transaction(async (tx) => {
        const user = await userNamed(tx, request.params.user)
        await removeMember(tx, id, user.id)
        await votesChanged(tx, { userId: user.id, repositoryId: id })
        await appendAudit(tx, {
          ...by(request),
          action: 'member.remove',
          subject: user.id,
          repositoryId: id,
          data: { repository: name, user: user.name },
        })
      })
      return { ok: true as const }
    },
  )
}
