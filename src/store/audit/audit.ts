import { AUDIT_GENESIS, auditHash } from '../../domain/audit.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import { canonicalJson, type Json } from '../../lib/json.ts'
import { type FromRow, makeCodec } from '../database/codec.ts'
import { nowOf, type Queries, type Tx } from '../database/context.ts'
import type { Database } from '../database/schema.ts'

/** One link of the audit chain, data parsed. */
export type AuditEvent = FromRow<Database['audit']>

export interface NewAuditEvent {
  /** `user:ID`, `worker:ID`, `token:ID` or `system`. */
  actor: string
  /** Dotted, `run.applying`, `mr.merge`, `user.login`. */
  action: string
  /** Id of what it was done to. */
  subject: string
  repositoryId?: string | null
  /** Further facts, never secrets. */
  data?: Json
}

export const auditCodec = makeCodec<Database['audit'], AuditEvent>({ json: ['data'] })

/** Transactions in which a link is being written, with the promise of the last one. */
const writing = new WeakMap<Tx, Promise<unknown>>()

/**
 * Adds a link to the chain, in the transaction that does what it records. Three statements make a link, so that two
 * writers between them would both follow the same one: writers of several transactions queue up at the head row, those of
 * one transaction here. Outside a transaction nothing holds them apart, and that throws.
 */
export const appendAudit = (tx: Tx, event: NewAuditEvent): Promise<{ seq: number; hash: string }> =>
  appendAudits(tx, [event])

/** The same for many events of one transaction, in their order; the last link, or the head where there is none to add. */
export function appendAudits(tx: Tx, events: readonly NewAuditEvent[]): Promise<{ seq: number; hash: string }> {
  if (!tx.isTransaction)
    return Promise.reject(new Error(`the audit event ${events[0]?.action} was to be written outside a transaction`))
  const before = writing.get(tx) ?? Promise.resolve()
  const mine = before.then(() => append(tx, events))
  // A failed statement rolls the whole transaction back; the next writer must not wait for ever meanwhile.
  writing.set(
    tx,
    mine.catch(() => undefined),
  )
  return mine
}

async function append(tx: Tx, events: readonly NewAuditEvent[]): Promise<{ seq: number; hash: string }> {
  const { length } = events
  const head = await tx
    .updateTable('auditHead')
    .set((row) => ({ seq: row('seq', '+', length) }))
    .where('id', '=', 1)
    .returning(['seq', 'hash'])
    .executeTakeFirstOrThrow()
  return writeLinks(tx, { seq: head.seq - length, hash: head.hash }, events)
}

/** Writes the link `seq` after the one with `previousHash` and makes it the head. Only for what holds the head row. */
export const writeLink = (
  tx: Tx,
  seq: number,
  previousHash: string,
  event: NewAuditEvent,
): Promise<{ seq: number; hash: string }> => writeLinks(tx, { seq: seq - 1, hash: previousHash }, [event])

/** Links that one statement writes: a statement takes a bounded number of parameters. */
const LINKS_AT_ONCE = 500

async function writeLinks(
  tx: Tx,
  after: { seq: number; hash: string },
  events: readonly NewAuditEvent[],
): Promise<{ seq: number; hash: string }> {
  let last = after
  for (let from = 0; from < events.length; from += LINKS_AT_ONCE) {
    const links = events.slice(from, from + LINKS_AT_ONCE).map((event) => (last = linkAfter(tx, last, event)))
    await tx.insertInto('audit').values(links).execute()
  }
  const { seq, hash } = last
  await tx.updateTable('auditHead').set({ seq, hash }).where('id', '=', 1).execute()
  return { seq, hash }
}

function linkAfter(tx: Tx, last: { seq: number; hash: string }, event: NewAuditEvent): Database['audit'] {
  const entry = {
    seq: last.seq + 1,
    at: nowOf(tx),
    actor: storable(event.actor),
    action: storable(event.action),
    subject: storable(event.subject),
    repositoryId: typeof event.repositoryId !== 'string' ? null : storable(event.repositoryId),
    dataJson: canonicalJson(event.data ?? {}),
  }
  return { ...entry, previousHash: last.hash, hash: auditHash(last.hash, entry) }
}

/**
 * What is hashed must be what is read back: a database keeps no half of a surrogate pair and may end a text at a zero
 * character. In JSON both are escapes, so data needs nothing.
 */
function storable(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\ufffd')
}

/**
 * Rows of the chain in order, read in pages so that a long chain needs little memory. They end at `untilSeq` (the head of
 * now where absent), because a chain that is being written may grow as fast as it is read.
 */
export async function* auditRows(db: Queries, fromSeq = 1, untilSeq?: number): AsyncGenerator<Database['audit']> {
  const until = untilSeq ?? (await auditHead(db)).seq
  for (let after = fromSeq - 1; ; ) {
    const rows = await db
      .selectFrom('audit')
      .selectAll()
      .where('seq', '>', after)
      .where('seq', '<=', until)
      .orderBy('seq')
      .limit(1000)
      .execute()
    yield* rows
    const last = rows.at(-1)
    if (!last) return
    after = last.seq
  }
}

/**
 * The chain as JSON lines (each with its newline), every column that enters the hash, so that others can verify it too; from
 * the first event that is in the database. CONFLICT where events leave it that were to come next.
 */
export async function* exportAudit(db: Queries, fromSeq = 1): AsyncGenerator<string> {
  let next: number | undefined
  for await (const row of auditRows(db, fromSeq)) {
    if (next !== undefined && row.seq !== next && (await leftThrough(db)) >= next)
      throw new TrueupError('CONFLICT', {
        doing: 'exporting the audit trail',
        why: `the events from ${next} on left the database meanwhile`,
        next: 'Export again.',
      })
    yield `${canonicalJson(row)}\n`
    next = row.seq + 1
  }
}

/** Number of the last event that left the database; 0 where none did. */
export async function leftThrough(db: Queries): Promise<number> {
  const last = await db
    .selectFrom('auditArchives')
    .select('through')
    .orderBy('through', 'desc')
    .limit(1)
    .executeTakeFirst()
  return last?.through ?? 0
}

/** The newest link; seq 0 and the genesis hash when there is none. */
export async function auditHead(db: Queries): Promise<{ seq: number; hash: string }> {
  const head = await db.selectFrom('auditHead').select(['seq', 'hash']).where('id', '=', 1).executeTakeFirst()
  return head ?? { seq: 0, hash: AUDIT_GENESIS }
}
