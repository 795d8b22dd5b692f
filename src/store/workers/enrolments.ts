import { canonicalJson } from '../../lib/json.ts'
import type { Queries } from '../database/context.ts'

/** The worker that used up an enrolment token with this very key, null where there is none (or it was revoked since). */
export async function findEnrolled(tx: Queries, tokenHash: string, publicKey: object): Promise<string | null> {
  const used = await tx
    .selectFrom('enrolments')
    .select('usedAt')
    .where('tokenHash', '=', tokenHash)
    .where('usedAt', 'is not', null)
    .executeTakeFirst()
  if (!used) return null
  const worker = await tx
    .selectFrom('workers')
    .select('id')
    .where('publicKeyJson', '=', canonicalJson(publicKey))
    .where('revokedAt', 'is', null)
    .executeTakeFirst()
  return worker?.id ?? null
}
