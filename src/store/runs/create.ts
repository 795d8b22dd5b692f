import type { Insertable } from 'kysely'
import { newId } from '../../lib/ids.ts'
import { appendAudits } from '../audit/audit.ts'
import { nowOf, type Queries, type Tx } from '../database/context.ts'
import type { Database } from '../database/schema.ts'
import { readyOfFresh, refreshReady } from './ready.ts'
import { type NewRun, RUN_PRIORITY, runCodec } from './row.ts'
import { eventOf, noteRun } from './transition.ts'

/** Columns of every new run; the others are given, or empty. */
const FRESH = {
  state: 'queued',
  pool: 'default',
  attempt: 1,
  provisional: 0,
  ready: 0,
  quiet: 0,
  repeats: 0,
  repeatsTold: 0,
  fence: 0,
  logBase: 0,
  logSize: 0,
} as const

/** Rows of one statement, which takes a bounded number of parameters. */
const AT_ONCE = 500

/**
 * Writes runs with their dependencies and their audit events `run.queued` (or `run.blocked`), in their order; gives their ids.
 * One may depend on another that comes before it.
 */
export async function createRuns(tx: Tx, runs: readonly NewRun[]): Promise<string[]> {
  const now = nowOf(tx)
  const made = runs.map((run) => ({ run, row: rowOf(run, now) }))
  const ready = await readyOfFresh(
    tx,
    made.map(({ run, row }) => ({ ...row, dependsOn: run.dependsOn ?? [] })),
  )
  const rows = made.map(({ row }) => ({ ...row, ready: ready.get(row.id) ? 1 : 0 }))
  for (let from = 0; from < rows.length; from += AT_ONCE)
    await tx
      .insertInto('runs')
      .values(rows.slice(from, from + AT_ONCE))
      .execute()
  await writeDependencies(
    tx,
    made.flatMap(({ run, row }) =>
      [...new Set(run.dependsOn)].map((dependsOnRunId) => ({ runId: row.id, dependsOnRunId })),
    ),
  )
  for (const { row } of made) if (!ready.has(row.id)) await refreshReady(tx, row, null)
  for (const { row } of made) noteRun(tx, row)
  const events = made.map(({ run, row }) => eventOf({ ...row, planDigest: null, workerId: null }, null, run))
  await appendAudits(
    tx,
    events.filter((event) => event !== null),
  )
  return made.map(({ row }) => row.id)
}

/** A row as it is inserted, with what is known of every new one. */
type FreshRow = Insertable<Database['runs']> &
  Pick<Database['runs'], 'id' | 'stackId' | 'repositoryId' | 'kind' | 'state' | 'quiet' | 'fence'>

function rowOf(run: NewRun, now: number): FreshRow {
  const { actor: _actor, dependsOn: _dependsOn, personId, ...given } = run
  const own = {
    id: newId('run', now),
    priority: RUN_PRIORITY[run.kind],
    share: personId ?? run.repositoryId,
    createdAt: now,
    updatedAt: now,
  }
  return { ...FRESH, ...own, ...runCodec.toRow(given) } as FreshRow
}

/** Those that are there already are kept. */
export async function writeDependencies(
  tx: Queries,
  dependencies: readonly Database['runDependencies'][],
): Promise<void> {
  for (let from = 0; from < dependencies.length; from += AT_ONCE)
    await tx
      .insertInto('runDependencies')
      .values(dependencies.slice(from, from + AT_ONCE))
      .onConflict((conflict) => conflict.doNothing())
      .execute()
}
