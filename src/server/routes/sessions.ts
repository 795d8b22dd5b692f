import { z } from 'zod'
import { TrueupError } from '../../lib/errors/error.ts'
import { appendAudit } from '../../store/audit/audit.ts'
import { revokeToken } from '../../store/people/tokens.ts'
import type { User } from '../../store/people/users.ts'
import { principalOf } from '../auth/enforce.ts'
import type { Principal } from '../auth/permissions.ts'
import { type SessionToken, sessionsOf } from '../auth/sessions.ts'
import { PageQuery, pageInMemory, pageOf } from '../pagination.ts'
import type { RouteModule } from '../parts.ts'
import { Name } from '../schemas/common.ts'
import { LoginSession, RevokedSessions } from '../schemas/sessions.ts'
import { by, userNamed } from './users.ts'

/** Logins of a person: when, from where, with what; and their end, which ends open event streams at once. */
export const sessionListRoutes: RouteModule<'store'> = (app, { store }) => {
  const tags = ['session']
  const Whose = z.object({ user: Name.optional().meta({ description: 'another person, for administrators' }) })

  app.get(
    '/api/v1/sessions',
    {
      config: { action: 'session.list' },
      schema: {
        tags,
        summary: 'Logins of this account that count; of another one for administrators',
        querystring: PageQuery.extend(Whose.shape),
        response: { 200: pageOf(LoginSession) },
      },
    },
    async (request) => {
      const principal = principalOf(request)
      const user = await personOf(principal, request.query.user)
      const found = await sessionsOf(store.db, user.id, store.clock.now())
      return pageInMemory(
        found.map((session) => show(session, user, principal)),
        request.query,
        ({ id }) => id,
      )
    },
  )

  app.delete(
    '/api/v1/sessions',
    {
      config: { action: 'session.revoke' },
      schema: {
        tags,
        summary: 'End all logins but the one that asks; all of another person for administrators',
        querystring: Whose,
        response: { 200: RevokedSessions },
      },
    },
    async (request) => {
      const principal = principalOf(request)
      const user = await personOf(principal, request.query.user)
      return await end(request, user, ({ id }) => id !== principal.tokenId)
    },
  )

  app.delete(
    '/api/v1/sessions/:session',
    {
      config: { action: 'session.revoke' },
      schema: {
        tags,
        summary: 'End a login',
        params: z.object({ session: z.string().max(100) }),
        querystring: Whose,
        response: { 200: RevokedSessions },
      },
    },
    async (request) => {
      const { session } = request.params
      const user = await personOf(principalOf(request), request.query.user)
      const ended = await end(request, user, ({ id }) => id === session)
      if (ended.revoked.length > 0) return ended
      throw new TrueupError('NOT_FOUND', {
        doing: `ending session ${session}`,
        why: `${user.name} has no login of that id that counts`,
        next: '`trueup session list` shows them.',
      })
    },
  )

  async function personOf(principal: Principal, name: string | undefined): Promise<User> {
    const user = await userNamed(store.db, name ?? principal.name)
    if (user.id === principal.userId || principal.kind === 'admin') return user
    throw new TrueupError('FORBIDDEN', {
      doing: 'looking at the logins of someone else',
      why: 'only administrators of this server may do that',
    })
  }

  const end = (request: Parameters<typeof by>[0], user: User, which: (session: SessionToken) => boolean) =>
    store.transaction(async (tx) => {
      const ended = (await sessionsOf(tx, user.id, store.clock.now())).filter(which)
      for (const { id, name } of ended) {
        await revokeToken(tx, id)
        const data = { user: user.name, device: name }
        await appendAudit(tx, { ...by(request), action: 'session.revoke', subject: id, data })
      }
      return { revoked: ended.map(({ id }) => id) }
    })
}

const show = (session: SessionToken, user: User, principal: Principal): LoginSession => {
  const { id, kind, name, address, createdAt, lastUsedAt, expiresAt } = session
  const current = id === principal.tokenId
  return { id, user: user.name, kind, device: name, address, createdAt, lastUsedAt, expiresAt, current }
}
