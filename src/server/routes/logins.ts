import { TrueupError } from '../../lib/errors/error.ts'
import { appendAudit } from '../../store/audit/audit.ts'
import type { Tx } from '../../store/database/context.ts'
import { createToken, type Token } from '../../store/people/tokens.ts'
import { findUserByName, type User } from '../../store/people/users.ts'
import { verifyPassword } from '../auth/password.ts'
import { mayDo, type Principal } from '../auth/permissions.ts'
import { packScopes } from '../auth/token.ts'
import type { ServerParts } from '../parts.ts'
import { showUser } from './show.ts'
import type { Session } from '../schemas/people.ts'

/** The person of a name and a password; UNAUTHENTICATED, with the same words, for everything else. */
export async function checkPassword(
  { store, metrics }: Pick<ServerParts, 'store' | 'metrics'>,
  name: string,
  password: string,
): Promise<User> {
  const user = await findUserByName(store.db, name)
  const matches = await verifyPassword(user?.passwordHash ?? null, password)
  if (user && matches && user.disabledAt === null) return user
  metrics.logins.inc({ outcome: 'refused' })
  // Only known names enter the audit: people type passwords into the wrong field.
  if (user) {
    const refused = { actor: 'system', action: 'user.login_refused', subject: user.id }
    await store.transaction((tx) => appendAudit(tx, refused))
  }
  throw new TrueupError('UNAUTHENTICATED', {
    doing: 'logging in',
    why: 'name or password is wrong, or the account is disabled',
    next: 'Try again, or ask an administrator to set a new password.',
  })
}

/** Writes down a login and that it happened. */
export async function openLogin(
  tx: Tx,
  login: {
    userId: string
    name: string
    hash: string
    scopes: readonly string[]
    expiresAt: number
    kind: 'browser' | 'cli'
    /** Where it came from. */
    address: string
    by?: string
  },
): Promise<Token> {
  const { by, scopes, ...token } = login
  const { userId, name, address } = login
  const created = await createToken(tx, { ...token, scopes: packScopes(scopes) })
  await appendAudit(tx, {
    actor: `user:${userId}`,
    action: 'user.login',
    subject: userId,
    data: { tokenId: created.id, device: name, address, ...(by && { by }) },
  })
  return created
}

export const showSession = (principal: Principal, user: User): Session => ({
  user: showUser(user),
  token: { id: principal.tokenId, scopes: [...principal.scopes] },
  may: mayDo(principal),
})
