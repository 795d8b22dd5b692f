import type { AuditArchive } from '../../domain/audit-archive.ts'

/** The tables of the audit, see `store/audit/`. */
export interface AuditTables {
  /** The audit chain. `hash` = sha256(previousHash + canonical JSON of the other columns). */
  audit: {
    seq: number
    at: number
    actor: string
    action: string
    subject: string
    repositoryId: string | null
    dataJson: string
    previousHash: string
    hash: string
  }
  /** One row, id 1: the newest link of the chain. Updating it serialises writers on every database. */
  auditHead: { id: number; seq: number; hash: string }
  /** Signed statements "the chain had this head at this time": a chain that is shorter was cut off. */
  auditCheckpoints: { seq: number; hash: string; at: number; keyId: string; signature: string }
  /** Parts of the chain that left the database, oldest first by `through`, each signed; `domain/audit-archive.ts` says what each column is. */
  auditArchives: AuditArchive
}
