import { createHash } from 'node:crypto'
import { canonicalJson } from '../lib/json.ts'

/** What one link of the audit chain says. `data` is kept as the JSON text that was written, so that no re-parsing can change its hash. */
export interface AuditEntry {
  /** 1, 2, 3… without a gap. */
  seq: number
  /** Milliseconds since the epoch. */
  at: number
  actor: string
  action: string
  subject: string
  repositoryId: string | null
  dataJson: string
}

/** The `previousHash` of the first entry. */
export const AUDIT_GENESIS = '0'.repeat(64)

/**
 * Hash of one link: SHA-256, as 64 hex digits, over the previous link's hash followed by the canonical JSON of the
 * entry. Members beyond those of AuditEntry do not enter.
 */
export function auditHash(previousHash: string, entry: AuditEntry): string {
  const { seq, at, actor, action, subject, repositoryId, dataJson } = entry
  return createHash('sha256')
    .update(previousHash)
    .update(canonicalJson({ seq, at, actor, action, subject, repositoryId, dataJson }))
    .digest('hex')
}

/** The text that a checkpoint's signature covers: "the chain had exactly this head at this time". */
export function checkpointText(checkpoint: { seq: number; hash: string; at: number }): string {
  return `trueup-audit-checkpoint-v1\n${checkpoint.seq}\n${checkpoint.hash}\n${checkpoint.at}\n`
}
