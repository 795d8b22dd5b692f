import { AUDIT_GENESIS, auditHash, checkpointText } from '../../domain/audit.ts'
import { auditHead, auditRows } from './audit.ts'
import { nowOf, type Queries } from '../database/context.ts'
import type { DataKeys } from '../database/keys.ts'
import type { Database } from '../database/schema.ts'

/** A signed statement that the chain had this head at this time. */
export type AuditCheckpoint = Database['auditCheckpoints']

/** Signs the present head of the chain; null when there is nothing new to sign. Do it often, and keep copies elsewhere. */
export async function signCheckpoint(tx: Queries, keys: DataKeys): Promise<AuditCheckpoint | null> {
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
  ok: boolean
  /** Links that are in order, counted from the first. */
  count: number
  /** Checkpoints that agree with the chain. */
  checkpoints: number
  /** Where it first goes wrong, and how. */
  firstBad?: { seq: number; why: string }
}

export interface VerifyOptions {
  /** With them, the signatures of checkpoints are checked too. */
  keys?: Pick<DataKeys, 'verify'>
  /** A head that was kept somewhere else (an export's last line, a printed checkpoint): the chain must pass through it. */
  kept?: { seq: number; hash: string }
}

/**
 * Proves that no link was changed, removed or put in: every hash is computed again, the chain must reach its recorded
 * head, and pass through every checkpoint. Reads in pages.
 */
export async function verifyAudit(db: Queries, options: VerifyOptions = {}): Promise<AuditVerdict> {
  const { head, newest } = await ends(db)
  const checkpoints = await db.selectFrom('auditCheckpoints').selectAll().orderBy('seq').execute()
  const signed = new Map(checkpoints.map((checkpoint) => [checkpoint.seq, checkpoint]))
  const verdict: AuditVerdict = { ok: true, count: 0, checkpoints: 0 }
  const bad = (seq: number, why: string): AuditVerdict => ({ ...verdict, ok: false, firstBad: { seq, why } })

  let previousHash = AUDIT_GENESIS
  for await (const row of auditRows(db, 1, newest)) {
    const seq = verdict.count + 1
    if (row.seq !== seq) return bad(seq, `the link is missing: ${row.seq} follows ${seq - 1}`)
    if (row.previousHash !== previousHash) return bad(seq, 'it does not follow from the link before it')
    if (auditHash(previousHash, row) !== row.hash) return bad(seq, 'its content is not what was hashed')
    if (seq === options.kept?.seq && row.hash !== options.kept.hash) return bad(seq, 'it is not the link that was kept')
    if (seq === head.seq && row.hash !== head.hash) return bad(seq, 'it is not the recorded head')
    const checkpoint = signed.get(seq)
    if (checkpoint) {
      if (checkpoint.hash !== row.hash) return bad(seq, 'it is not the link that its checkpoint signed')
      if (options.keys?.verify(checkpointText(checkpoint), checkpoint.signature) === false)
        return bad(seq, 'the signature of its checkpoint is wrong')
      verdict.checkpoints++
    }
    verdict.count = seq
    previousHash = row.hash
  }
  const reach = Math.max(head.seq, checkpoints.at(-1)?.seq ?? 0, options.kept?.seq ?? 0)
  if (verdict.count < reach) return bad(verdict.count + 1, `the end is cut off: the chain once reached ${reach}`)
  if (newest > head.seq) return bad(head.seq + 1, 'it stands after the recorded head')
  return verdict
}

/** The recorded head and the newest row, in one statement, since others may be writing. */
async function ends(db: Queries): Promise<{ head: { seq: number; hash: string }; newest: number }> {
  const row = await db
    .selectFrom((is) =>
      is
        .selectFrom('audit')
        .select((audit) => audit.fn.max('seq').as('newest'))
        .as('rows'),
    )
    .leftJoin('auditHead', (join) => join.on('auditHead.id', '=', 1))
    .select(['newest', 'seq', 'hash'])
    .executeTakeFirstOrThrow()
  return { head: { seq: row.seq ?? 0, hash: row.hash ?? AUDIT_GENESIS }, newest: row.newest ?? 0 }
}
