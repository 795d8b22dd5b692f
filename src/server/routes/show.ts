import { unpackScopes } from '../auth/token.ts'
import type { Token, User } from '../schemas/people.ts'

/** What of a row leaves the server: never hashes. */
export function showUser(row: User): User {
  const { id, name, email, kind, disabledAt, createdAt } = row
  return { id, name, email, kind, disabledAt, createdAt }
}

export function showToken(
  row: Omit<Token, 'scopes' | 'user' | 'kind'> & { scopes: string; kind: 'browser' | 'cli' | null },
  user: string,
): Token {
  const { id, name, expiresAt, lastUsedAt, revokedAt, createdAt } = row
  return {
    id,
    name,
    user,
    kind: row.kind ?? 'token',
    scopes: unpackScopes(row.scopes),
    expiresAt,
    lastUsedAt,
    revokedAt,
    createdAt,
  }
}
