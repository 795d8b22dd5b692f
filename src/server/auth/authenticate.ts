import { TrueupError } from '../../lib/errors/error.ts'
import type { Store } from '../../store/open.ts'
import { findTokenByHash, touchToken } from '../../store/people/tokens.ts'
import { getUser } from '../../store/people/users.ts'
import type { Principal } from './permissions.ts'
import { hashToken, sameHash, unpackScopes } from './token.ts'

/**
 * The person behind an `authorization` header: `Bearer TOKEN`, or `Basic` with the token as password (for git; the name
 * beside it is not looked at). UNAUTHENTICATED for everything that does not count: the reason is named only for tokens
 * that were once good, so that a guess learns nothing.
 */
export async function authenticate(store: Store, authorization: string | undefined): Promise<Principal> {
  const token = tokenOf(authorization)
  if (token === null) throw refused('the request carries no token')
  const hash = hashToken(token)
  const row = await findTokenByHash(store.db, hash)
  if (!row || !sameHash(row.hash, hash)) throw refused('the token is not one of this server')
  const now = store.clock.now()
  if (row.revokedAt !== null) throw refused(`the token "${row.name}" was revoked`)
  if (row.expiresAt !== null && row.expiresAt <= now) throw refused(`the token "${row.name}" has expired`)
  const user = await getUser(store.db, row.userId)
  if (!user || user.disabledAt !== null) throw refused(`the account of the token "${row.name}" is disabled`)
  // Once a minute is enough for people to see which tokens are in use, and spares a write per request.
  if (row.lastUsedAt === null || now - row.lastUsedAt > 60_000) await touchToken(store.db, row.id)
  return { userId: user.id, name: user.name, kind: user.kind, tokenId: row.id, scopes: unpackScopes(row.scopes) }
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

const refused = (why: string): TrueupError => new TrueupError('UNAUTHENTICATED', { doing: 'checking who you are', why })
