import type { Deed, DeedKind, RecordedDeed } from '../../domain/origins/deeds.ts'
import { newId } from '../../lib/ids.ts'
import { nowOf, type Queries } from '../database/context.ts'
import type { Database } from '../database/schema.ts'

/** Rows written, and addresses asked for, by one statement. */
const AT_ONCE = 500

/** The run that did something to the resources of a stack. */
export interface Doer {
  id: string
  stackId: string
  mrId: string | null
  kind: RecordedDeed['kind']
}

/** Writes down what a run did, in the order of the list. */
export async function recordDeeds(tx: Queries, run: Doer, deeds: readonly Deed[]): Promise<void> {
  const at = nowOf(tx)
  const first = newId('deed', at)
  const rows = deeds.map(({ address, did, from, importId }, index) => ({
    id: `${first}.${String(index).padStart(6, '0')}`,
    stackId: run.stackId,
    runId: run.id,
    mrId: run.mrId,
    kind: run.kind,
    address,
    did,
    fromAddress: from ?? null,
    importId: importId ?? null,
    at,
  }))
  for (let start = 0; start < rows.length; start += AT_ONCE)
    await tx
      .insertInto('resourceDeeds')
      .values(rows.slice(start, start + AT_ONCE))
      .execute()
}

export interface StoredDeed extends RecordedDeed {
  mrId: string | null
}

/** What one run did. */
export const deedsOfRun = async (db: Queries, runId: string): Promise<StoredDeed[]> =>
  (await db.selectFrom('resourceDeeds').selectAll().where('runId', '=', runId).orderBy('id').execute()).map(fromRow)

/** The newest deeds in a stack, oldest of them first. */
export async function deedsOfStack(db: Queries, stackId: string, limit: number): Promise<StoredDeed[]> {
  const rows = await db
    .selectFrom('resourceDeeds')
    .selectAll()
    .where('stackId', '=', stackId)
    .orderBy('id', 'desc')
    .limit(limit)
    .execute()
  return rows.toReversed().map(fromRow)
}

/** Everything on record about these addresses, and about those that they were moved from; oldest first. */
export async function deedsAt(db: Queries, stackId: string, addresses: Iterable<string>): Promise<StoredDeed[]> {
  const found = new Map<string, StoredDeed>()
  const asked = new Set<string>()
  let next = [...new Set(addresses)]
  while (next.length > 0) {
    const former = new Set<string>()
    for (let start = 0; start < next.length; start += AT_ONCE) {
      const some = next.slice(start, start + AT_ONCE)
      const rows = await db
        .selectFrom('resourceDeeds')
        .selectAll()
        .where('stackId', '=', stackId)
        .where('address', 'in', some)
        .execute()
      for (const row of rows) {
        found.set(row.id, fromRow(row))
        if (row.fromAddress !== null) former.add(row.fromAddress)
      }
    }
    for (const address of next) asked.add(address)
    next = [...former].filter((address) => !asked.has(address))
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, deed]) => deed)
}

type DeedRow = Pick<
  Database['resourceDeeds'],
  'runId' | 'mrId' | 'kind' | 'address' | 'did' | 'fromAddress' | 'importId'
>

const fromRow = ({ runId, mrId, kind, address, did, fromAddress, importId }: DeedRow): StoredDeed => ({
  runId,
  mrId,
  kind: kind as RecordedDeed['kind'],
  address,
  did: did as DeedKind,
  ...(fromAddress !== null && { from: fromAddress }),
  ...(importId !== null && { importId }),
})
