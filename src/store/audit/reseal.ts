import { AUDIT_GENESIS, RESEAL_ACTION, resealText } from '../../domain/audit.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import type { Tx } from '../database/context.ts'
import type { DataKeys } from '../database/keys.ts'
import { writeLink } from './audit.ts'
import { walkChain } from './walk.ts'

/**
 * Continues a broken chain: an event that names its breaks, with a digest of everything before it as it stands, signed
 * with the audit key. From then on a chain is sound when nothing else is broken, and nothing before the event has changed
 * since. Answers the number of the event. CONFLICT where the chain has no break without a name.
 *
 * Reads the whole chain inside the transaction: an event that others write meanwhile would not be covered.
 */
export async function resealAudit(
  tx: Tx,
  keys: DataKeys,
  { actor, reason }: { actor: string; reason: string },
): Promise<number> {
  // Made anew where it was removed, so that there is a row to write the new head into.
  await tx
    .insertInto('auditHead')
    .values({ id: 1, seq: 0, hash: AUDIT_GENESIS })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute()
  const { breaks, total, reach, newestHash, content } = await walkChain(tx, { keys })
  if (total === 0) {
    throw new TrueupError('CONFLICT', {
      doing: 'continuing the audit chain',
      why: 'the chain is sound: no break is without a name',
      next: 'Nothing is to be done; `trueup audit verify` shows what was named before.',
    })
  }
  const statement = { reason, through: reach, content, breaks, total }
  const signature = keys.sign(resealText(actor, statement))
  const { seq } = await writeLink(tx, reach + 1, newestHash, {
    actor,
    action: RESEAL_ACTION,
    subject: 'audit',
    data: { ...statement, keyId: keys.auditKeyId, signature },
  })
  return seq
}
