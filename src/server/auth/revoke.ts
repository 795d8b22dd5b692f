import type { Queries } from '../../store/open.ts'
import { listTokens, revokeToken } from '../../store/people/tokens.ts'

/** Ends every login of a person, except the token `keep` (the one that asks for it). */
export async function revokeAllTokens(tx: Queries, userId: string, keep: string | null): Promise<void> {
  for (const token of await listTokens(tx, userId))
    if (token.id !== keep && token.revokedAt === null) await revokeToken(tx, token.id)
}
