import { AUDIT_GENESIS, auditHash } from '../../domain/audit.ts'
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
export function appendAudit(tx: Tx, event: NewAuditEvent): Promise<{ seq: number; hash: string }> {
  if (!tx.isTransaction)
    return Promise.reject(new Error(`the audit event ${event.action} was to be written outside a transaction`))
  const before = writing.get(tx) ?? Promise.resolve()
  const mine = before.then(() => append(tx, event))
  // A failed statement rolls the whole transaction back; the next writer must not wait for ever meanwhile.
  writing.set(
    tx,
    mine.catch(() => undefined),
  )
  return mine
}

async function append(tx: Tx, event: NewAuditEvent): Promise<{ seq: number; hash: string }> {
  const head = await tx
    .updateTable('auditHead')
    .set((row) => ({ seq: row('seq', '+', 1) }))
    .where('id', '=', 1)
    .returning(['seq', 'hash'])
    .executeTakeFirstOrThrow()
  return writeLink(tx, head.seq, head.hash, event)
}

/** Writes the link `seq` after the one with `previousHash` and makes it the head. Only for what holds the head row. */
export async function writeLink(
  tx: Tx,
  seq: number,
  previousHash: string,
  event: NewAuditEvent,
): Promise<{ seq: number; hash: string }> {
  const entry = {
    seq,
    at: nowOf(tx),
    actor: storable(event.actor),
    action: storable(event.action),
    subject: storable(event.subject),
    repositoryId: typeof event.repositoryId !== 'string' ? null : storable(event.repositoryId),
    dataJson: canonicalJson(event.data ?? {}),
  }
  const hash = auditHash(previousHash, entry)
  await tx
    .insertInto('audit')
    .values({ ...entry, previousHash, hash })
    .execute()
  await tx.updateTable('auditHead').set({ seq, hash }).where('id', '=', 1).execute()
  return { seq, hash }
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

/** The chain as JSON lines (each with its newline), every column that enters the hash, so that others can verify it too. */
export async function* exportAudit(db: Queries, fromSeq = 1): AsyncGenerator<string> {
  for await (const row of auditRows(db, fromSeq)) yield `${canonicalJson(row)}\n`
}

/** The newest link; seq 0 and the genesis hash when there is none. */
export async function auditHead(db: Queries): Promise<{ seq: number; hash: string }> {
  const head = await db.selectFrom('auditHead').select(['seq', 'hash']).where('id', '=', 1).executeTakeFirst()
  return head ?? { seq: 0, hash: AUDIT_GENESIS }
}
