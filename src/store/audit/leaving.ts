import { join } from 'node:path'
import { RESEAL_ACTION } from '../../domain/audit.ts'
import type { Queries } from '../database/context.ts'
import type { DataKeys } from '../database/keys.ts'
import { archiveName, readRows, writeRows } from './archive-file.ts'
import { auditRows, auditHead } from './audit.ts'
import { auditArchives, baseOf, storedPart } from './chain.ts'
import { walk } from './walk.ts'

/** Which events are to leave. */
export interface LeavingOrder {
  directory: string
  before?: number
  newest?: number
  atLeast?: number
  /** Events of one part. */
  largest: number
  /** Only says how many they are. */
  dryRun?: boolean
}

/** Events that are in a file now and may leave, or why none do. */
export type Leaving =
  | { what: 'nothing' }
  | { what: 'broken'; seq: number; why: string }
  | {
      what: 'part'
      fromSeq: number
      through: number
      previousHash: string
      hash: string
      count: number
      firstAt: number
      lastAt: number
      file: string
    }

/**
 * Finds the events that are to leave, proves them, writes them to a file and proves what can be read back from it. Changes
 * nothing in the database. Reads all of them twice: not for the thread of a server.
 */
export async function writeLeaving(db: Queries, keys: Pick<DataKeys, 'verify'>, order: LeavingOrder): Promise<Leaving> {
  const base = baseOf(await auditArchives(db))
  const through = await lastToLeave(db, base.seq, order)
  const fewest = Math.max(order.atLeast ?? 1, 1)
  if (through - base.seq < fewest) return { what: 'nothing' }
  const part = { fromSeq: base.seq + 1, through, previousHash: base.hash, file: archiveName(base.seq + 1, through) }
  if (order.dryRun) return { what: 'part', ...part, hash: '', count: through - base.seq, firstAt: 0, lastAt: 0 }
  const file = join(order.directory, part.file)
  const seen = await proved(db, keys, { through })
  if ('broken' in seen) return seen.broken
  await writeRows(file, auditRows(db, part.fromSeq, through))
  const written = await proved(db, keys, { through, file })
  if ('broken' in written) return written.broken
  const { firstAt, lastAt, count } = written
  return { what: 'part', ...part, hash: written.hash, count, firstAt, lastAt }
}

interface Proved {
  hash: string
  count: number
  firstAt: number
  lastAt: number
}

/** Walks along what is to leave, in the database or in a file that it was written to. */
async function proved(
  db: Queries,
  keys: Pick<DataKeys, 'verify'>,
  { through, file }: { through: number; file?: string },
): Promise<Proved | { broken: Extract<Leaving, { what: 'broken' }> }> {
  const source = await storedPart(db, through, keys)
  const seen = { count: 0, firstAt: 0, lastAt: 0, through: 0 }
  const found = await walk(file === undefined ? source : { ...source, rows: readRows(file) }, {
    keys,
    each: ({ at, seq }) => {
      if (seen.count++ === 0) seen.firstAt = at
      seen.lastAt = at
      seen.through = seq
    },
  })
  const [first] = found.breaks
  if (first) return { broken: { what: 'broken', seq: first.seq, why: first.why } }
  if (seen.through !== through) return { broken: { what: 'broken', seq: through, why: 'the event is missing' } }
  const { through: _, ...rest } = seen
  return { hash: found.newestHash, ...rest }
}

/**
 * The last event that is to leave: all before it are as old. Those that a reseal covers stay until it leaves itself, since it
 * can be proved by them only.
 */
async function lastToLeave(db: Queries, base: number, { before, newest, largest }: LeavingOrder): Promise<number> {
  const head = await auditHead(db)
  // Where the clock was set back, an event that gives a later time keeps those behind it; by time alone it would leave too early.
  const young =
    before === undefined
      ? undefined
      : await db
          .selectFrom('audit')
          .select('seq')
          .where('seq', '>', base)
          .where('at', '>=', before)
          .orderBy('seq')
          .limit(1)
          .executeTakeFirst()
  const byAge = before === undefined ? 0 : (young?.seq ?? head.seq) - 1
  const byCount = newest === undefined ? 0 : head.seq - newest
  // The newest event stays: it says where the chain goes on.
  const through = Math.min(Math.max(byAge, byCount), head.seq - 1)
  const reseal = await db
    .selectFrom('audit')
    .select((audit) => audit.fn.max('seq').as('seq'))
    .where('action', '=', RESEAL_ACTION)
    .where('seq', '>', base)
    .executeTakeFirst()
  if (reseal?.seq && reseal.seq > through) return base
  const part = Math.min(through, base + largest)
  if (!reseal?.seq || reseal.seq <= part) return part
  // It leaves together with all that it covers, however much that is.
  return reseal.seq
}
