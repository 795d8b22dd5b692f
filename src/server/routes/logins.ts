import { TrueupError } from '../../lib/errors/error.ts'
import { appendAudit } from '../../store/audit/audit.ts'
import type { Tx } from '../../store/database/context.ts'
import { createToken, type Token } from '../../store/people/tokens.ts'
import { findSecondFactor } from '../../store/people/second-factors.ts'
import { findUserByName, type User } from '../../store/people/users.ts'
import { verifyPassword } from '../auth/password.ts'
import { mayDo, type Principal } from '../auth/permissions.ts'
import { provesFactor, wrongCode } from '../auth/second-factor.ts'
import { packScopes } from '../auth/token.ts'
import type { ServerParts } from '../parts.ts'
import { showUser } from './show.ts'
import type { Session } from '../schemas/people.ts'

/** The person of a name and a password; UNAUTHENTICATED, with the same words, for everything else. */
export async function checkPassword(
  { store, metrics, refusals }: Pick<ServerParts, 'store' | 'metrics' | 'refusals'>,
  { name, password, address }: { name: string; password: string; address: string },
): Promise<User> {
  const user = await findUserByName(store.db, name)
  const matches = await verifyPassword(user?.passwordHash ?? null, password)
  if (user && matches && user.disabledAt === null) return user
  await noteRefusal({ store, metrics }, user)
  // Of unknown names only that there were some, and where from.
  if (!user) refusals.note({ kind: 'login', address, why: 'nobody has that name' })
  throw new TrueupError('UNAUTHENTICATED', {
    doing: 'logging in',
    why: 'name or password is wrong, or the account is disabled',
    next: 'Try again, or ask an administrator to set a new password.',
  })
}

/**
 * The second half of a login where the account has a second factor: the code of its app, or a recovery code. Answers with when
 * it was proven, null where there is nothing to prove. SECOND_FACTOR_REQUIRED without a code, SECOND_FACTOR_WRONG.
 */
export async function checkSecondFactor(
  { store, metrics, keys }: Pick<ServerParts, 'store' | 'metrics' | 'keys'>,
  user: User,
  code: string | undefined,
): Promise<number | null> {
  const factor = await findSecondFactor(store.db, user.id)
  if (!factor || factor.confirmedAt === null) return null
  const doing = 'logging in'
  if (code === undefined)
    throw new TrueupError('SECOND_FACTOR_REQUIRED', { doing, why: 'this account has a second factor' })
  if (await store.transaction((tx) => provesFactor(tx, keys, user.id, code))) return store.clock.now()
  await noteRefusal({ store, metrics }, user)
  throw wrongCode(doing)
}

async function noteRefusal(
  { store, metrics }: Pick<ServerParts, 'store' | 'metrics'>,
  user: User | undefined,
): Promise<void> {
  metrics.logins.inc({ outcome: 'refused' })
  // Only known names enter the audit: people type passwords into the wrong field.
  if (user) {
    const refused = { actor: 'system', action: 'user.login_refused', subject: user.id }
    await store.transaction((tx) => appendAudit(tx, refused))
  }
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
    /** When the second factor was proven for it. */
    provenAt: number | null
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
  owesSecondFactor: principal.owesSecondFactor ?? false,
  may: mayDo(principal),
})
