/** The tables of what servers do by themselves. */
export interface ServerTables {
  /** Follow-up work, written in the transaction that causes it. At least once; handlers are idempotent. */
  tasks: {
    id: string
    kind: string
    /** Pending tasks with one key are one task. */
    dedupeKey: string
    payloadJson: string
    runAt: number
    attempt: number
    /** Since when it is being handled, and by which server; cleared where that is gone. */
    takenAt: number | null
    takenBy: string | null
    lastError: string | null
    createdAt: number
  }
  /** The process that serves a database elsewhere. Whoever has no row here any more writes nothing. */
  servers: { id: string; host: string; pid: number; version: string; startedAt: number }
}
