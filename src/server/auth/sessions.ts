import type { Queries } from '../../store/open.ts'
import { listTokens, type Token } from '../../store/people/tokens.ts'
import { SESSION_IDLE_MS } from './browser-session.ts'

/** A login: a token that a browser or the command line got for a password, a link or a provider's word. */
export type SessionToken = Token & { kind: 'browser' | 'cli' }

/** Logins of a person that still count, newest use first. */
export async function sessionsOf(db: Queries, userId: string, now: number): Promise<SessionToken[]> {
  const live = (await listTokens(db, userId)).filter((token): token is SessionToken => isLive(token, now))
  return live.sort((a, b) => usedAt(b) - usedAt(a))
}

function isLive(token: Token, now: number): boolean {
  if (token.kind === null || token.revokedAt !== null) return false
  if (token.expiresAt !== null && token.expiresAt <= now) return false
  return token.kind !== 'browser' || usedAt(token) + SESSION_IDLE_MS > now
}

const usedAt = ({ lastUsedAt, createdAt }: Token): number => lastUsedAt ?? createdAt
