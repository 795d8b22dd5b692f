/** The tables that rollbacks go by: who made what, and what is not to be deployed again. Rules as in `schema.ts`. */
export interface RollbackTables {
  /** What runs did to single resources, in order of `id` (`domain/origins/`). */
  resourceDeeds: {
    id: string
    stackId: string
    runId: string
    mrId: string | null
    kind: string
    address: string
    did: string
    fromAddress: string | null
    importId: string | null
    at: number
  }
  /** Desired states that must not be deployed again by retries, drift or a later digest match. */
  quarantine: {
    id: string
    repositoryId: string
    stackId: string
    commitOid: string
    desiredDigest: string
    reason: string
    mrId: string | null
    createdById: string | null
    createdAt: number
    liftedAt: number | null
    /** Who lifted it; null where it was lifted with the merge request that had put it. */
    liftedById: string | null
    liftedReason: string | null
  }
}
