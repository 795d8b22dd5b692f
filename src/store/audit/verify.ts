import { type AuditBreak, checkpointText } from '../../domain/audit.ts'
import { nowOf, type Queries, type Tx } from '../database/context.ts'
import type { DataKeys } from '../database/keys.ts'
import { auditHead } from './audit.ts'
import { type AuditCheckpoint, type SoundReseal, walkChain, type WalkOptions } from './walk.ts'

/** Signs the present head of the chain; null when there is nothing new to sign. Do it often, and keep copies elsewhere. */
export async function signCheckpoint(tx: Tx, keys: DataKeys): Promise<AuditCheckpoint | null> {
  const { seq, hash } = await auditHead(tx)
  const last = await tx.selectFrom('auditCheckpoints').select('seq').orderBy('seq', 'desc').limit(1).executeTakeFirst()
  if (seq === (last?.seq ?? 0)) return null
  const at = nowOf(tx)
  const signature = keys.sign(checkpointText({ seq, hash, at }))
  const checkpoint = { seq, hash, at, keyId: keys.auditKeyId, signature }
  await tx.insertInto('auditCheckpoints').values(checkpoint).execute()
  return checkpoint
}

export interface AuditVerdict {
  /** No link is out of order, except what a reseal names. */
  ok: boolean
  /** Links that are in order, counted from the first. */
  count: number
  /** Checkpoints that agree with the chain. */
  checkpoints: number
  /** Where it first goes wrong, and how. */
  firstBad?: AuditBreak
  /** Every place where it goes wrong (the first hundred), and how many there are. */
  breaks: AuditBreak[]
  total: number
  /** Events that named earlier breaks and continued the chain. */
  reseals: SoundReseal[]
}

/**
 * Proves that no link was changed, removed or put in: every hash is computed again, the chain must reach its recorded
 * head, and pass through every checkpoint. Reads in pages.
 */
export async function verifyAudit(db: Queries, options: WalkOptions = {}): Promise<AuditVerdict> {
  const { count, checkpoints, breaks, total, reseals } = await walkChain(db, options)
  const [firstBad] = breaks
  return { ok: total === 0, count, checkpoints, ...(firstBad && { firstBad }), breaks, total, reseals }
}
