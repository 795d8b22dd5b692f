import { z } from 'zod'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { TrueupError } from '../../lib/errors/error.ts'
import { findTokenByHash, revokeToken } from '../../store/people/tokens.ts'
import { findUserByName, getUser } from '../../store/people/users.ts'
import { refuseForeignWrite, SESSION_LIFE_MS, sessionCookieOf, setSessionCookie } from '../auth/browser-session.ts'
import { principalOf } from '../auth/enforce.ts'
import { linkAddress, type LinkedLogin } from '../auth/login-links.ts'
import type { Principal } from '../auth/permissions.ts'
import { hashToken, newToken } from '../auth/token.ts'
import { owes } from '../auth/authenticate.ts'
import { checkPassword, checkSecondFactor, openLogin, showSession } from './logins.ts'
import type { RouteModule } from '../parts.ts'
import { LinkOrder, Login, LoginLink, Redemption, Session } from '../schemas/people.ts'

/** Passwords can be guessed, codes of 32 random bytes cannot: their limit only spares the server work. */
const RATE = { password: { max: 10, timeWindow: '1 minute' }, code: { max: 120, timeWindow: '1 minute' } }

/** Sessions of browsers: a cookie that scripts cannot read, and one-time links that make one. */
export const browserSessionRoutes: RouteModule<'store' | 'keys' | 'metrics' | 'publicUrl' | 'links' | 'refusals'> = (
  app,
  parts,
) => {
  const { store, metrics, publicUrl, links } = parts
  const tags = ['session']

  app.post(
    '/api/v1/session/browser',
    {
      config: { action: 'public', rateLimit: RATE.password },
      schema: {
        tags,
        summary: 'Log a browser in with name and password; the answer sets the session cookie',
        security: [],
        body: Login.omit({ device: true }),
        response: { 201: Session },
      },
    },
    async (request, reply) => {
      refuseForeignWrite(request, publicUrl())
      const user = await checkPassword(parts, { ...request.body, address: request.ip })
      const provenAt = await checkSecondFactor(parts, user, request.body.code)
      return await open(request, reply, { userId: user.id, scopes: ['admin'] }, { by: 'password', provenAt })
    },
  )

  app.post(
    '/api/v1/session/redeem',
    {
      config: { action: 'public', rateLimit: RATE.code },
      schema: {
        tags,
        summary: 'Log a browser in with the code of a one-time link; the answer sets the session cookie',
        security: [],
        body: Redemption,
        response: { 201: Session },
      },
    },
    async (request, reply) => {
      refuseForeignWrite(request, publicUrl())
      const login = links.redeem(request.body.code)
      const user = login && (await getUser(store.db, login.userId))
      if (!login || !user || user.disabledAt !== null) {
        metrics.logins.inc({ outcome: 'refused' })
        parts.refusals.note({ kind: 'login', address: request.ip, why: 'a one-time link that does not count' })
        throw new TrueupError('UNAUTHENTICATED', {
          doing: 'logging in by link',
          why: 'the link was used before, is older than ten minutes, or the server was restarted since',
          next: 'Make a new one with `trueup open`, or log in with your password.',
        })
      }
      return await open(request, reply, login, { by: login.by ?? 'link', provenAt: null })
    },
  )

  app.post(
    '/api/v1/session/links',
    {
      config: { action: 'session.link', secretAnswer: true },
      schema: {
        tags,
        summary: 'Make a one-time link that logs a browser in; for others as an administrator',
        body: LinkOrder,
        response: { 201: LoginLink },
      },
    },
    async (request, reply) => {
      const principal = principalOf(request)
      const name = request.body?.user ?? principal.name
      const user = await findUserByName(store.db, name)
      if (!user || (user.id !== principal.userId && principal.kind !== 'admin')) {
        throw new TrueupError('FORBIDDEN', {
          doing: `making a link that logs ${name} in`,
          why: 'only administrators of this server may do that for another account, and it must be there',
        })
      }
      // Nothing that the asking token could not do itself: a narrowed one stays narrowed.
      const { code, expiresAt } = links.make({ userId: user.id, scopes: principal.scopes })
      return reply.code(201).send({ url: linkAddress(publicUrl(), code), user: user.name, expiresAt })
    },
  )

  /** A fresh session; the one that this browser had before is over. */
  async function open(
    request: FastifyRequest,
    reply: FastifyReply,
    { userId, scopes, lifeMs = SESSION_LIFE_MS }: LinkedLogin,
    { by, provenAt }: { by: string; provenAt: number | null },
  ) {
    const { token, hash } = newToken('session')
    const before = sessionCookieOf(request, publicUrl())
    const row = await store.transaction(async (tx) => {
      const old = before === null ? undefined : await findTokenByHash(tx, hashToken(before))
      if (old && old.revokedAt === null) await revokeToken(tx, old.id)
      const expiresAt = store.clock.now() + lifeMs
      const from = { kind: 'browser' as const, address: request.ip, provenAt }
      return await openLogin(tx, { userId, name: deviceOf(request), hash, scopes, expiresAt, by, ...from })
    })
    metrics.logins.inc({ outcome: 'accepted' })
    setSessionCookie(reply, publicUrl(), token)
    const user = (await getUser(store.db, userId))!
    const owesSecondFactor = await owes(store.db, user)
    const principal: Principal = { userId, name: user.name, kind: user.kind, tokenId: row.id, scopes, owesSecondFactor }
    return reply.code(201).send(showSession(principal, user))
  }
}

/** Shown in the list of tokens, so that people recognise where they logged in. */
function deviceOf(request: FastifyRequest): string {
  const agent = z.string().catch('').parse(request.headers['user-agent'])
  const browser = /(Firefox|Edg|OPR|Chrome|Safari)\//.exec(agent)?.[1] ?? 'a browser'
  const system = /(Windows|Android|iPhone|iPad|Mac OS X|Linux)/.exec(agent)?.[1]
  return `${browser}${system ? ` on ${system}` : ''}`
}
