import { TrueupError } from '../../lib/errors/error.ts'
import { isFinal, RUN_KINDS, RUN_STATES, type RunKind, type RunState } from '../../domain/runs/run.ts'
import { noteChange, nowOf, type Queries, type Tx } from '../database/context.ts'
import { combinations, newestOf } from '../database/newest.ts'
import { type Page, type PageRequest, pageLimit, pageOf } from '../database/page.ts'
import { createRuns, writeDependencies } from './create.ts'
import { type NewRun, RUN_SUMMARY_COLUMNS, type Run, type RunPatch, type RunSummary, runCodec } from './row.ts'
import { refreshRun } from './ready.ts'
import { moveRun, patchColumns } from './transition.ts'

export { createRuns } from './create.ts'
export { transitionRun } from './transition.ts'
export { type NewRun, type Run, type RunPatch, type RunSummary } from './row.ts'

/** Writes a run with its dependencies and its audit event `run.queued` (or `run.blocked`). */
export async function createRun(tx: Tx, run: NewRun): Promise<Run> {
  const [id] = await createRuns(tx, [run])
  return (await getRun(tx, id!))!
}

/** Lets a run wait for others to succeed; those it already waits for are kept. */
export async function addRunDependencies(tx: Queries, runId: string, dependsOn: readonly string[]): Promise<void> {
  await writeDependencies(
    tx,
    dependsOn.map((dependsOnRunId) => ({ runId, dependsOnRunId })),
  )
  await refreshRun(tx, runId)
}

/** Lets a run wait for another one no longer. */
export async function dropRunDependency(tx: Queries, runId: string, dependsOnRunId: string): Promise<void> {
  await tx
    .deleteFrom('runDependencies')
    .where('runId', '=', runId)
    .where('dependsOnRunId', '=', dependsOnRunId)
    .execute()
  await refreshRun(tx, runId)
}

/** Lets a run wait for another one instead of the one that it waited for. */
export async function replaceRunDependency(tx: Queries, runId: string, from: string, to: string): Promise<void> {
  await tx.deleteFrom('runDependencies').where('runId', '=', runId).where('dependsOnRunId', '=', from).execute()
  await addRunDependencies(tx, runId, [to])
}

/** The run, or undefined. */
export async function getRun(db: Queries, runId: string): Promise<Run | undefined> {
  const row = await db.selectFrom('runs').selectAll().where('id', '=', runId).executeTakeFirst()
  return row && runCodec.fromRow(row)
}

/** Those of these runs that exist, by id. */
export async function getRuns(db: Queries, runIds: readonly string[]): Promise<Map<string, Run>> {
  const runs = new Map<string, Run>()
  for (let start = 0; start < runIds.length; start += 500) {
    const ids = runIds.slice(start, start + 500)
    const rows = await db.selectFrom('runs').selectAll().where('id', 'in', ids).execute()
    for (const row of rows) runs.set(row.id, runCodec.fromRow(row))
  }
  return runs
}

export interface RunFilter {
  repositoryId?: string
  stackId?: string
  mrId?: string
  commitOid?: string
  /** The worker that holds its lease now. */
  heldBy?: string
  kinds?: readonly RunKind[]
  states?: readonly RunState[]
}

/** Runs newest first, without the members that may be megabytes (see RunSummary). */
export async function listRuns(db: Queries, filter: RunFilter = {}, page: PageRequest = {}): Promise<Page<RunSummary>> {
  let query = db.selectFrom('runs').select(RUN_SUMMARY_COLUMNS)
  if (filter.repositoryId !== undefined) query = query.where('repositoryId', '=', filter.repositoryId)
  if (filter.stackId !== undefined) query = query.where('stackId', '=', filter.stackId)
  if (filter.mrId !== undefined) query = query.where('mrId', '=', filter.mrId)
  if (filter.commitOid !== undefined) query = query.where('commitOid', '=', filter.commitOid)
  if (filter.heldBy !== undefined)
    query = query.where('workerId', '=', filter.heldBy).where('leaseUntil', 'is not', null)
  if (filter.kinds) query = query.where('kind', 'in', [...filter.kinds])
  if (filter.states) query = query.where('state', 'in', [...filter.states])
  // Those under way are few on a stack, and have an index of their own.
  if (filter.stackId !== undefined && filter.states?.every((state) => !isFinal(state)))
    query = query.where('finishedAt', 'is', null)
  else {
    const parts = partsOf(filter, page)
    if (parts) query = query.where('id', 'in', parts)
  }
  if (page.cursor !== undefined) query = query.where('id', '<', page.cursor)
  const rows = await query
    .orderBy('id', 'desc')
    .limit(pageLimit(page) + 1)
    .execute()
  const runs = rows.map((row) => runCodec.fromRow(row as Parameters<typeof runCodec.fromRow>[0]) as RunSummary)
  return pageOf(runs, page, (run) => run.id)
}

/** Where more than one index could serve, the parts of that which leads straight to the page; null where one serves as it is. */
function partsOf({ repositoryId, stackId, mrId, heldBy, kinds, states }: RunFilter, page: PageRequest) {
  if (mrId !== undefined || heldBy !== undefined) return null
  if (stackId !== undefined) {
    const also = states ? [{ column: 'state', oneOf: states }] : []
    return newestOf('runs', combinations({ stackId: [stackId], kind: kinds ?? RUN_KINDS }), page, also)
  }
  if (repositoryId === undefined || (!kinds && !states)) return null
  const all = { repositoryId: [repositoryId], state: states ?? RUN_STATES, kind: kinds ?? RUN_KINDS }
  return newestOf('runs', combinations(all), page)
}

/**
 * Changes members of a run that are not its state (an approval, an apply's result). With `fence`, only on behalf of the
 * worker that holds that token. Errors: NOT_FOUND, LEASE_LOST.
 */
export async function patchRun(tx: Queries, runId: string, patch: RunPatch, fence?: number): Promise<Run> {
  if (fence !== undefined) {
    const run = await tx.selectFrom('runs').select(['fence', 'leaseUntil']).where('id', '=', runId).executeTakeFirst()
    if (run && (run.fence !== fence || run.leaseUntil === null))
      throw new TrueupError('LEASE_LOST', {
        doing: `changing run ${runId}`,
        why: `the run is under token ${run.fence}${run.leaseUntil === null ? ', leased to nobody' : ''}, the worker holds ${fence}`,
      })
  }
  const row = await tx
    .updateTable('runs')
    .set({ ...patchColumns(patch), updatedAt: nowOf(tx) })
    .where('id', '=', runId)
    .returningAll()
    .executeTakeFirst()
  if (!row) throw noRun(`changing run ${runId}`)
  noteChange(tx, { topic: 'run', id: runId, repositoryId: row.repositoryId, stackId: row.stackId })
  return runCodec.fromRow(row)
}

/**
 * Asks for the end of a run: one that no worker holds is `canceled` at once, a leased one carries the wish until its
 * worker hears of it (see `renewLeases`). A run that has ended is returned as it is.
 */
export async function requestCancel(
  tx: Tx,
  { runId, reason, actor }: { runId: string; reason: string; actor: string },
): Promise<Run> {
  const run = await getRun(tx, runId)
  if (!run) throw noRun(`canceling run ${runId}`)
  if (run.finishedAt !== null || run.cancelRequestedAt !== null) return run
  const wish = { cancelRequestedAt: nowOf(tx), cancelReason: reason }
  if (run.leaseUntil === null) return moveRun(tx, { runId, to: 'canceled', reason, actor }, wish)
  const row = await tx.updateTable('runs').set(wish).where('id', '=', runId).returningAll().executeTakeFirstOrThrow()
  noteChange(tx, { topic: 'run', id: runId, repositoryId: row.repositoryId, stackId: row.stackId })
  return runCodec.fromRow(row)
}

/** Runs that this one waits for, or (`dependents`) that wait for it. */
export async function runDependencies(
  db: Queries,
  runId: string,
): Promise<{ dependsOn: string[]; dependents: string[] }> {
  const [up, down] = [
    await db
      .selectFrom('runDependencies')
      .select('dependsOnRunId as id')
      .where('runId', '=', runId)
      .orderBy('id')
      .execute(),
    await db
      .selectFrom('runDependencies')
      .select('runId as id')
      .where('dependsOnRunId', '=', runId)
      .orderBy('id')
      .execute(),
  ]
  return { dependsOn: up.map((row) => row.id), dependents: down.map((row) => row.id) }
}

const noRun = (doing: string): TrueupError =>
  new TrueupError('NOT_FOUND', { doing, why: 'there is no run with this id' })
