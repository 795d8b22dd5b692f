import { nowOf, type Queries } from '../database/context.ts'
import { makePlainEntity, type New } from '../database/entity.ts'
import type { Database } from '../database/schema.ts'

/** An access token; the token itself is known to its owner only, here is its hash. */
export type Token = Database['tokens']

const tokens = makePlainEntity({
  table: 'tokens',
  prefix: 'token',
  // Who listens with it has to hear of its end.
  change: (token) => ({ topic: 'settings', id: token.id }),
})

export const createToken = (tx: Queries, token: New<Token>): Promise<Token> => tokens.insert(tx, token)
export const getToken = (db: Queries, id: string): Promise<Token | undefined> => tokens.get(db, id)
export const findTokenByHash = (db: Queries, hash: string): Promise<Token | undefined> => tokens.find(db, { hash })
/** Oldest first, revoked ones too. */
export const listTokens = (db: Queries, userId: string): Promise<Token[]> => tokens.all(db, { userId })

/** Notes that a token was used just now. */
export async function touchToken(db: Queries, id: string): Promise<void> {
  await db
    .updateTable('tokens')
    .set({ lastUsedAt: nowOf(db) })
    .where('id', '=', id)
    .execute()
}

/** NOT_FOUND where there is none. A second time changes nothing. */
export async function revokeToken(tx: Queries, id: string): Promise<Token> {
  const token = await tokens.require(tx, id)
  return token.revokedAt === null ? tokens.update(tx, id, { revokedAt: nowOf(tx) }) : token
}

/** Notes that a login proved the second factor of its account just now. */
export const proveToken = (tx: Queries, id: string): Promise<Token> => tokens.update(tx, id, { provenAt: nowOf(tx) })
