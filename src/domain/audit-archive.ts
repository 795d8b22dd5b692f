import { z } from 'zod'
import { canonicalJson } from '../lib/json.ts'

const Hash = z.string().regex(/^[0-9a-f]{64}$/)

/** What is signed of a part of the audit chain that left the database: which links, and between which hashes they stand. */
export const AuditArchiveStatement = z.object({
  fromSeq: z.int().min(1),
  /** The last link that left. */
  through: z.int().min(1),
  /** Hash of the link before the first one that left; zeros where there is none. */
  previousHash: Hash,
  /** Hash of the last link that left: it stands for all before it. */
  hash: Hash,
  /** How many links left: fewer than the numbers say where some were missing, which a reseal among them names. */
  count: z.int().min(0),
  /** Times that the first and the last of them give, and when they left, in milliseconds. */
  firstAt: z.int(),
  lastAt: z.int(),
  at: z.int(),
  /** Name of the file that they were written to. */
  file: z.string().min(1).max(200),
})
export type AuditArchiveStatement = z.infer<typeof AuditArchiveStatement>

/** A signed checkpoint of what left. */
export const AuditArchive = AuditArchiveStatement.extend({ keyId: z.string(), signature: z.string() })
export type AuditArchive = z.infer<typeof AuditArchive>

/** The file beside an archive: with it, the archive can be verified where there is no Trueup server. */
export const AuditCheckpointFile = z.object({
  format: z.literal('trueup-audit-archive-v1'),
  archive: AuditArchive,
  /** Public half of the key that signed it, SPKI in PEM. Compare its id with one that you kept. */
  publicKey: z.string(),
  /** What was signed hourly of the links that left. */
  heads: z.array(z.object({ seq: z.int(), hash: Hash, at: z.int(), keyId: z.string(), signature: z.string() })),
})
export type AuditCheckpointFile = z.infer<typeof AuditCheckpointFile>

/** The text that the signature of an archive covers: "these links stood between these hashes, and left at this time". */
export function archiveText(archive: AuditArchiveStatement): string {
  return `trueup-audit-archive-v1\n${canonicalJson(AuditArchiveStatement.parse(archive))}\n`
}
