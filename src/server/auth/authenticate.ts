import type { FastifyRequest } from 'fastify'
import { TrueupError } from '../../lib/errors/error.ts'
import type { Store } from '../../store/open.ts'
import { findTokenByHash, touchToken } from '../../store/people/tokens.ts'
import { findSecondFactor } from '../../store/people/second-factors.ts'
import type { Queries } from '../../store/open.ts'
import { getUser, type User } from '../../store/people/users.ts'
import type { Principal } from './permissions.ts'
import { refuseForeignWrite, SESSION_IDLE_MS, sessionCookieOf } from './browser-session.ts'
import { secondFactorRule } from './second-factor.ts'
import { hashToken, isSessionToken, sameHash, unpackScopes } from './token.ts'
import { isGoodFrom } from './token-ranges.ts'

/**
 * The person behind an `authorization` header: `Bearer TOKEN`, or `Basic` with the token as password (for git; the name
 * beside it is not looked at), as it comes from `address`. UNAUTHENTICATED for everything that does not count: the reason is named only for tokens
 * that were once good, so that a guess learns nothing.
 */
export async function authenticate(
  store: Store,
  authorization: string | undefined,
  address: string,
): Promise<Principal> {
  const token = tokenOf(authorization)
  if (token === null) throw new TrueupError('UNAUTHENTICATED', { doing: DOING, why: NO_TOKEN })
  // What a browser keeps as a cookie counts as a cookie only, with the protection that cookies need.
  if (isSessionToken(token)) throw refused(UNKNOWN)
  return (await principalOfToken(store, token, address)).principal
}

/** As `authenticate`, or by the session cookie of a browser, whose writes must come from our own pages. */
export async function authenticateRequest(
  store: Store,
  request: FastifyRequest,
  publicUrl: string,
): Promise<Principal> {
  const { authorization } = request.headers
  const cookie = authorization === undefined ? sessionCookieOf(request, publicUrl) : null
  if (cookie === null) return await authenticate(store, authorization, request.ip)
  if (!isSessionToken(cookie)) throw refused(UNKNOWN)
  refuseForeignWrite(request, publicUrl)
  const { principal, usedAt } = await principalOfToken(store, cookie, request.ip)
  if (usedAt + SESSION_IDLE_MS <= store.clock.now()) throw refused('the session was not used for too long')
  return principal
}

/** `usedAt`: when the token was used before now, to the minute. */
async function principalOfToken(
  store: Store,
  token: string,
  address: string,
): Promise<{ principal: Principal; usedAt: number }> {
  const hash = hashToken(token)
  const row = await findTokenByHash(store.db, hash)
  if (!row || !sameHash(row.hash, hash)) throw refused(UNKNOWN)
  const now = store.clock.now()
  if (row.revokedAt !== null) throw new RefusedToken(`the token "${row.name}" was revoked`, row)
  if (row.expiresAt !== null && row.expiresAt <= now) throw new RefusedToken(`the token "${row.name}" has expired`, row)
  const scopes = unpackScopes(row.scopes)
  // From where it would be good is for its owner to know.
  if (!isGoodFrom(scopes, address)) throw new RefusedToken(`the token "${row.name}" is not good from ${address}`, row)
  const user = await getUser(store.db, row.userId)
  if (!user || user.disabledAt !== null)
    throw new RefusedToken(`the account of the token "${row.name}" is disabled`, row)
  const usedAt = row.lastUsedAt ?? row.createdAt
  const idle = isSessionToken(token) && usedAt + SESSION_IDLE_MS <= now
  // Once a minute is enough for people to see which tokens are in use, and spares a write per request. Nobody waits for it:
  // who only reads would wait for whoever writes, and where it fails nothing but a time is lost.
  if (!idle && (row.lastUsedAt === null || now - row.lastUsedAt > 60_000))
    touchToken(store.db, row.id).catch(() => undefined)
  const { id: userId, name, kind } = user
  const owesSecondFactor = await owes(store.db, user)
  const { id: tokenId, provenAt } = row
  return {
    principal: { userId, name, kind, tokenId, scopes, provenAt, owesSecondFactor },
    usedAt,
  }
}

/** Whether the server asks an account for a second factor that it has not. */
export async function owes(db: Queries, user: User): Promise<boolean> {
  // Whoever has no password here logs in elsewhere, or is a program.
  if (user.passwordHash === null) return false
  const rule = await secondFactorRule(db)
  if (rule === 'off' || (rule === 'administrators' && user.kind !== 'admin')) return false
  const factor = await findSecondFactor(db, user.id)
  return !factor || factor.confirmedAt === null
}

/** The token in an `authorization` header, or null. */
export function tokenOf(authorization: string | undefined): string | null {
  const bearer = authorization?.match(/^Bearer +(\S+)$/i)?.[1]
  if (bearer) return bearer
  const basic = authorization?.match(/^Basic +([A-Za-z0-9+/=]+)$/i)?.[1]
  if (!basic) return null
  const pair = Buffer.from(basic, 'base64').toString('utf8')
  const colon = pair.indexOf(':')
  return colon === -1 || colon === pair.length - 1 ? null : pair.slice(colon + 1)
}

const UNKNOWN = 'the token is not one of this server'
const DOING = 'checking who you are'
/** The usual beginning of a conversation with git and browsers, and no refusal of anything. */
export const NO_TOKEN = 'the request carries no token'
const refused = (why: string): TrueupError => new TrueupError('UNAUTHENTICATED', { doing: DOING, why })

/** A token that was good once, and whose it was. */
export class RefusedToken extends TrueupError {
  readonly token: { id: string; userId: string }
  constructor(why: string, { id, userId }: { id: string; userId: string }) {
    super('UNAUTHENTICATED', { doing: DOING, why })
    this.token = { id, userId }
  }
}
