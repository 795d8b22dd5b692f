import { type AuditBreak, checkpointText } from '../../domain/audit.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import { nowOf, type Queries, type Tx } from '../database/context.ts'
import type { DataKeys } from '../database/keys.ts'
import { auditHead } from './audit.ts'
import { type AuditCheckpoint, auditArchives } from './chain.ts'
import { type SoundReseal, walkChain, type WalkOptions } from './walk.ts'

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
  /** Links that are in order, counted from the first that is in the database. */
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
  /** The last event that left the database and in how many parts; null where none did. Its signed checkpoint is where the proof begins. */
  archived: { through: number; parts: number } | null
}

/**
 * Proves that no link was changed, removed or put in: every hash is computed again, the chain must begin where its last
 * signed archive ends, reach its recorded head, and pass through every checkpoint. Reads in pages.
 */
export async function verifyAudit(db: Queries, options: WalkOptions = {}): Promise<AuditVerdict> {
  for (;;) {
    const archives = await auditArchives(db)
    const { count, checkpoints, breaks, total, reseals } = await walkChain(db, options)
    // What left while it was read is no gap: read again from where the chain begins now.
    if ((await auditArchives(db)).length > archives.length) continue
    const [firstBad] = breaks
    const last = archives.at(-1)
    const archived = last ? { through: last.through, parts: archives.length } : null
    return { ok: total === 0, count, checkpoints, ...(firstBad && { firstBad }), breaks, total, reseals, archived }
  }
}

/**
 * Refuses a head that was kept of an event that left the database (CONFLICT): the database can say nothing of it, its archive
 * can.
 */
export async function refuseKeptThatLeft(db: Queries, kept: { seq: number; hash: string }): Promise<void> {
  const archive = (await auditArchives(db)).find(({ through }) => kept.seq <= through)
  if (!archive) return
  throw new TrueupError('CONFLICT', {
    doing: `verifying that the audit chain passes through event ${kept.seq}`,
    why: `the events ${archive.fromSeq} to ${archive.through} left the database for ${archive.file}`,
    next: 'Verify that archive: `trueup audit verify --checkpoint FILE --kept SEQ:HASH`, with the file beside the archive.',
  })
}
