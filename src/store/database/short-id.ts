import type { Kysely } from 'kysely'
import type { Queries } from './context.ts'

/** Things that people name by id, and the table and the first letters of each. */
const NAMED = {
  run: { table: 'runs', prefix: 'run_' },
  record: { table: 'driftRecords', prefix: 'drift_' },
  worker: { table: 'workers', prefix: 'worker_' },
  token: { table: 'tokens', prefix: 'token_' },
} as const

export type NamedById = keyof typeof NAMED
export const NAMED_BY_ID = Object.keys(NAMED) as NamedById[]

/** Digits after the kind; see `newId`. */
const WHOLE = 19
/** Fewer digits than that span hours. */
const SHORTEST = 4

/**
 * Ids that begin so, with or without their kind: none where the text is a whole id or none at all, two where there are
 * several. By the index of the ids, so that it costs the same however many there are.
 */
export async function idsBeginning(db: Queries, what: NamedById, text: string): Promise<string[]> {
  const { table, prefix } = NAMED[what]
  const digits = text.startsWith(prefix) ? text.slice(prefix.length) : text
  if (digits.length < SHORTEST || digits.length >= WHOLE || !/^[0-9a-z]+$/.test(digits)) return []
  const from = prefix + digits
  // Kysely cannot follow a table name that is a union.
  const untyped = db as unknown as Kysely<{ [table: string]: { id: string } }>
  const rows = await untyped
    .selectFrom(table as string)
    .select('id')
    .where('id', '>=', from)
    // Behind every letter and digit.
    .where('id', '<', `${from}~`)
    .orderBy('id')
    .limit(2)
    .execute()
  return rows.map(({ id }) => id)
}
