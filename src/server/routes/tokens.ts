import { z } from 'zod'
import { TrueupError } from '../../lib/errors/error.ts'
import { appendAudit } from '../../store/audit/audit.ts'
import { createToken, getToken, listTokens, revokeToken } from '../../store/people/tokens.ts'
import { getUser } from '../../store/people/users.ts'
import { principalOf } from '../auth/enforce.ts'
import { TOKEN_POWERS, type Principal } from '../auth/permissions.ts'
import { newToken, packScopes } from '../auth/token.ts'
import { isRangeScope } from '../auth/token-ranges.ts'
import { PageQuery, pageInMemory, pageOf } from '../pagination.ts'
import type { RouteModule } from '../parts.ts'
import { Done, Name } from '../schemas/common.ts'
import { CreatedToken, NewToken, Token } from '../schemas/people.ts'
import { showToken } from './show.ts'
import { by, userNamed } from './users.ts'

export const tokenRoutes: RouteModule<'store'> = (app, { store }) => {
  const tags = ['tokens']

  app.get(
    '/api/v1/tokens',
    {
      config: { action: 'token.list' },
      schema: {
        tags,
        summary: 'Tokens of this account; of another one for administrators',
        querystring: PageQuery.extend({ user: Name.optional() }),
        response: { 200: pageOf(Token) },
      },
    },
    async (request) => {
      const principal = principalOf(request)
      const user = await userNamed(store.db, request.query.user ?? principal.name)
      requireSelfOrAdmin(principal, user.id, 'listing tokens')
      const tokens = await listTokens(store.db, user.id)
      return pageInMemory(
        tokens.map((token) => showToken(token, user.name)),
        request.query,
        (token) => token.id,
      )
    },
  )

  app.post(
    '/api/v1/tokens',
    {
      config: { action: 'token.create', secretAnswer: true },
      schema: {
        tags,
        summary: 'Make a token; this answer is the only place where it can be read',
        body: NewToken,
        response: { 201: CreatedToken },
      },
    },
    async (request, reply) => {
      const principal = principalOf(request)
      const { name, scopes, expiresInMs } = request.body
      const { token, hash } = newToken('user')
      const created = await store.transaction(async (tx) => {
        const user = await userNamed(tx, request.body.user ?? principal.name)
        requireSelfOrAdmin(principal, user.id, 'making a token')
        requireWithin(principal, scopes)
        const expiresAt = expiresInMs === undefined ? null : store.clock.now() + expiresInMs
        const row = await createToken(tx, { userId: user.id, name, hash, scopes: packScopes(scopes), expiresAt })
        await appendAudit(tx, {
          ...by(request),
          action: 'token.create',
          subject: row.id,
          data: { name, scopes, expiresAt, user: user.name },
        })
        return showToken(row, user.name)
      })
      return reply.code(201).send({ token, info: created })
    },
  )

  app.delete(
    '/api/v1/tokens/:token',
    {
      config: { action: 'token.revoke' },
      schema: {
        tags,
        summary: 'Revoke a token by its id',
        params: z.object({ token: z.string().max(100) }),
        response: { 200: Done },
      },
    },
    async (request) => {
      const principal = principalOf(request)
      await store.transaction(async (tx) => {
        const token = await getToken(tx, request.params.token)
        const owner = token && (await getUser(tx, token.userId))
        if (!token || !owner || (principal.kind !== 'admin' && owner.id !== principal.userId)) {
          throw new TrueupError('NOT_FOUND', {
            doing: `revoking token ${request.params.token}`,
            why: 'none of your tokens has that id',
            next: '`trueup token list` shows them.',
          })
        }
        await revokeToken(tx, token.id)
        await appendAudit(tx, {
          ...by(request),
          action: 'token.revoke',
          subject: token.id,
          data: { name: token.name, user: owner.name },
        })
      })
      return { ok: true as const }
    },
  )
}

function requireSelfOrAdmin(principal: Principal, userId: string, doing: string): void {
  if (principal.userId === userId || principal.kind === 'admin') return
  throw new TrueupError('FORBIDDEN', {
    doing: `${doing} of someone else`,
    why: 'only administrators of this server may do that',
  })
}

/** A token cannot make a stronger one than itself. */
function requireWithin(principal: Principal, scopes: readonly string[]): void {
  const strength = (held: readonly string[]): number =>
    Math.max(...TOKEN_POWERS.map((power, i) => (held.includes(power) ? i : -1)))
  /** Of one kind of narrowing: what it leaves is not all left by the token that asks. */
  const widens = (narrows: (scope: string) => boolean): boolean => {
    const held = principal.scopes.filter(narrows)
    const wanted = scopes.filter(narrows)
    return held.length > 0 && (wanted.length === 0 || wanted.some((scope) => !held.includes(scope)))
  }
  const wider = widens((scope) => scope.startsWith('repo:')) || widens(isRangeScope)
  if (strength(scopes) <= strength(principal.scopes) && !wider) return
  throw new TrueupError('FORBIDDEN', {
    doing: 'making a token',
    why: `it would be stronger than the token that asks for it (${principal.scopes.join(', ')})`,
    next: 'Ask for fewer scopes, or log in with your password.',
  })
}
