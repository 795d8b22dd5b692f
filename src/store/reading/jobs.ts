import type { LeavingOrder } from '../audit/leaving.ts'

/** What a thread of its own reads from the database; what it is told and answers is plain data. */
export type ReadingJob =
  | { what: 'verify'; kept?: { seq: number; hash: string }; auditPublicKey: string }
  | { what: 'export'; fromSeq: number }
  | { what: 'size' }
  | ({ what: 'archive'; auditPublicKey: string } & LeavingOrder)

export interface ReadingOrder {
  /** Path of the database file. */
  file: string
  job: ReadingJob
}

/** `part`: a piece of the answer, of which the thread gives the next one only when it is asked. */
export type ReadingAnswer = { part: unknown } | { end: true }
