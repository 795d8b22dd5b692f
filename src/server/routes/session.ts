import { TrueupError } from '../../lib/errors/error.ts'
import { appendAudit } from '../../store/audit/audit.ts'
import { revokeToken } from '../../store/people/tokens.ts'
import { getUser, patchUser } from '../../store/people/users.ts'
import { clearSessionCookie } from '../auth/browser-session.ts'
import { revokeAllTokens } from '../auth/revoke.ts'
import { principalOf } from '../auth/enforce.ts'
import { hashPassword, verifyPassword } from '../auth/password.ts'
import { newToken } from '../auth/token.ts'
import { checkPassword, checkSecondFactor, openLogin, showSession } from './logins.ts'
import type { RouteModule } from '../parts.ts'
import { Done } from '../schemas/common.ts'
import { CreatedToken, Login, PasswordChange, Session } from '../schemas/people.ts'
import { showToken } from './show.ts'

const LOGIN_TOKEN_LIFE_MS = 30 * 24 * 3_600_000

/** Log in with a password, see who one is, log out, change one's password. */
export const sessionRoutes: RouteModule<'store' | 'keys' | 'metrics' | 'publicUrl' | 'refusals'> = (app, parts) => {
  const { store, keys, metrics, publicUrl } = parts
  app.post(
    '/api/v1/session',
    {
      // Guessing is slow twice over: by address here, by the cost of argon2id below.
      config: { action: 'public', rateLimit: { max: 10, timeWindow: '1 minute' }, secretAnswer: true },
      schema: {
        tags: ['session'],
        summary: 'Log in with name and password; the answer holds a token for 30 days',
        security: [],
        body: Login,
        response: { 201: CreatedToken },
      },
    },
    async (request, reply) => {
      const { name, password, device, code } = request.body
      const user = await checkPassword(parts, { name, password, address: request.ip })
      const provenAt = await checkSecondFactor({ store, metrics, keys }, user, code)
      const { token, hash } = newToken('user')
      const row = await store.transaction((tx) =>
        openLogin(tx, {
          userId: user.id,
          name: device,
          hash,
          scopes: ['admin'],
          expiresAt: store.clock.now() + LOGIN_TOKEN_LIFE_MS,
          kind: 'cli',
          address: request.ip,
          provenAt,
        }),
      )
      metrics.logins.inc({ outcome: 'accepted' })
      return reply.code(201).send({ token, info: showToken(row, user.name) })
    },
  )

  app.get(
    '/api/v1/session',
    {
      config: { action: 'session.read' },
      schema: { tags: ['session'], summary: 'Who this token stands for', response: { 200: Session } },
    },
    async (request) => {
      const principal = principalOf(request)
      const user = await getUser(store.db, principal.userId)
      return showSession(principal, user!)
    },
  )

  app.delete(
    '/api/v1/session',
    {
      config: { action: 'session.close' },
      schema: { tags: ['session'], summary: 'Log out: revoke the token of this request', response: { 200: Done } },
    },
    async (request, reply) => {
      const principal = principalOf(request)
      clearSessionCookie(reply, publicUrl())
      await store.transaction(async (tx) => {
        await revokeToken(tx, principal.tokenId)
        await appendAudit(tx, {
          actor: `user:${principal.userId}`,
          action: 'user.logout',
          subject: principal.userId,
          data: { tokenId: principal.tokenId },
        })
      })
      return { ok: true as const }
    },
  )

  app.put(
    '/api/v1/session/password',
    {
      config: { action: 'password.change', rateLimit: { max: 10, timeWindow: '1 minute' } },
      schema: {
        tags: ['session'],
        summary: 'Set one’s password; every other token of the account is revoked',
        body: PasswordChange,
        response: { 200: Done },
      },
    },
    async (request) => {
      const principal = principalOf(request)
      const user = (await getUser(store.db, principal.userId))!
      if (user.passwordHash !== null && !(await verifyPassword(user.passwordHash, request.body.current ?? ''))) {
        throw new TrueupError('FORBIDDEN', {
          doing: 'changing your password',
          why: 'the current password is wrong',
          next: 'Send the current password, or ask an administrator to set a new one.',
        })
      }
      const passwordHash = await hashPassword(request.body.password)
      await store.transaction(async (tx) => {
        await patchUser(tx, user.id, { passwordHash })
        await revokeAllTokens(tx, user.id, principal.tokenId)
        await appendAudit(tx, { actor: `user:${user.id}`, action: 'user.password', subject: user.id })
      })
      return { ok: true as const }
    },
  )
}
