import { AUDIT_GENESIS, type AuditBreak } from '../../domain/audit.ts'
import { archiveText, type AuditArchive } from '../../domain/audit-archive.ts'
import type { Queries } from '../database/context.ts'
import type { DataKeys } from '../database/keys.ts'
import type { Database } from '../database/schema.ts'
import { auditRows } from './audit.ts'

/** A signed statement that the chain had this head at this time. */
export type AuditCheckpoint = Database['auditCheckpoints']
export type AuditRow = Database['audit']

/** One link by its number and hash; number 0 and the genesis hash before the first. */
export interface Link {
  seq: number
  hash: string
}

/** A chain, or a part of one, as it can be walked along. */
export interface ChainSource {
  /** The link before the first row. */
  base: Link
  /** The rows after it, in order. */
  rows: AsyncIterable<AuditRow>
  /** Heads that were signed after the base, in order. */
  checkpoints: AuditCheckpoint[]
  /** What was recorded as the end; null for a part of a chain, which has none. */
  head: Link | null
  /** What is wrong before the first row. */
  faults: AuditBreak[]
}

/** The stored chain, from what left it to its end. */
export async function storedChain(db: Queries, keys?: Pick<DataKeys, 'verify'>): Promise<ChainSource> {
  const { head, newest } = await ends(db)
  const archives = await auditArchives(db)
  const base = baseOf(archives)
  return {
    base,
    head,
    rows: auditRows(db, base.seq + 1, newest),
    checkpoints: await checkpointsBetween(db, base.seq, Infinity),
    faults: wrongIn(archives, keys),
  }
}

/** The stored chain up to a link, as a part: what is to leave. */
export async function storedPart(db: Queries, through: number, keys: Pick<DataKeys, 'verify'>): Promise<ChainSource> {
  const archives = await auditArchives(db)
  const base = baseOf(archives)
  return {
    base,
    head: null,
    rows: auditRows(db, base.seq + 1, through),
    checkpoints: await checkpointsBetween(db, base.seq, through),
    faults: wrongIn(archives, keys),
  }
}

/** What left the chain, oldest first. */
export const auditArchives = (db: Queries): Promise<AuditArchive[]> =>
  db.selectFrom('auditArchives').selectAll().orderBy('through').execute()

/** The last link that left. */
export function baseOf(archives: readonly AuditArchive[]): Link {
  const last = archives.at(-1)
  return last ? { seq: last.through, hash: last.hash } : { seq: 0, hash: AUDIT_GENESIS }
}

export async function checkpointsBetween(db: Queries, after: number, through: number): Promise<AuditCheckpoint[]> {
  const later = db.selectFrom('auditCheckpoints').selectAll().where('seq', '>', after).orderBy('seq')
  return await (through === Infinity ? later : later.where('seq', '<=', through)).execute()
}

/** What left must be signed, and follow one on the other. */
function wrongIn(archives: readonly AuditArchive[], keys?: Pick<DataKeys, 'verify'>): AuditBreak[] {
  const faults: AuditBreak[] = []
  let before: Link = { seq: 0, hash: AUDIT_GENESIS }
  let after: number | null = null
  for (const archive of archives) {
    const { fromSeq, through, previousHash, hash, lastAt } = archive
    const note = (seq: number, kind: AuditBreak['kind'], why: string) =>
      faults.push({ seq, kind, why, at: null, after })
    if (fromSeq !== before.seq + 1)
      note(before.seq + 1, 'missing', `the checkpoint of the events ${before.seq + 1} to ${fromSeq - 1} is missing`)
    else if (previousHash !== before.hash) note(fromSeq, 'forked', 'what left does not follow from what left before it')
    if (keys?.verify(archiveText(archive), archive.signature) === false)
      note(through, 'checkpoint', 'the signature of the checkpoint of what left is wrong')
    before = { seq: through, hash }
    after = lastAt
  }
  return faults
}

/** The recorded head and the newest row, in one statement, since others may be writing. */
async function ends(db: Queries): Promise<{ head: Link; newest: number }> {
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
