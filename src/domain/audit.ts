import { createHash } from 'node:crypto'
import { z } from 'zod'
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

/**
 * What can be wrong at a place of the chain. `missing`: no link has this number. `forked`: it does not follow from the
 * link before it, as when two wrote at once. `changed`: its content is not what was hashed. `checkpoint`: it is not what
 * was signed. `head`: it is not what the chain recorded as its end. `kept`: it is not the head that somebody kept.
 * `reseal`: it says that it continues a broken chain, and does not.
 */
export const AUDIT_BREAK_KINDS = ['missing', 'forked', 'changed', 'checkpoint', 'head', 'kept', 'reseal'] as const

/** One place where the chain is broken. */
export const AuditBreak = z.object({
  seq: z.number(),
  kind: z.enum(AUDIT_BREAK_KINDS),
  why: z.string(),
  /** The time that the link there gives, in milliseconds; null where there is none. */
  at: z.number().nullable(),
  /** Time of the last link before it that is there; null before the first. */
  after: z.number().nullable(),
})
export type AuditBreak = z.infer<typeof AuditBreak>

/** Action of the event that continues a broken chain. */
export const RESEAL_ACTION = 'audit.reseal'
/** A chain that was written over from one end to the other has as many breaks as links; the digest covers them all. */
export const MAX_LISTED_BREAKS = 100

/** What the event that continues a broken chain holds. */
export const AuditReseal = z.object({
  reason: z.string(),
  /** The last number before the event: what stands up to it stays as it is now, breaks and all. */
  through: z.number(),
  /** SHA-256 over the rows and checkpoints up to `through`, as they are. */
  content: z.string(),
  /** The first breaks, and how many there are. */
  breaks: z.array(AuditBreak),
  total: z.number(),
  keyId: z.string(),
  signature: z.string(),
})
export type AuditReseal = z.infer<typeof AuditReseal>

/** The text that the signature of a reseal covers: who accepted which breaks, why, in a chain of exactly this content. */
export function resealText(actor: string, reseal: Omit<AuditReseal, 'signature' | 'keyId'>): string {
  const { reason, through, content, breaks, total } = reseal
  return `trueup-audit-reseal-v1\n${canonicalJson({ actor, reason, through, content, breaks, total })}\n`
}
