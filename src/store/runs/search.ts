import { isStateChanging, LEASED_STATES, type RunKind } from '../../domain/runs/run.ts'
import { noteChange, nowOf, type Queries } from '../database/context.ts'
import { combinations, newestOf } from '../database/newest.ts'
import { type Run, runCodec } from './row.ts'

/** The newest other run of a stack that ended well with a plan of this desired digest. */
export async function latestPlanned(
  db: Queries,
  { stackId, desiredDigest, kinds, notRunId }: PlannedFilter,
): Promise<Run | undefined> {
  const well = [
    { column: 'state', oneOf: ['succeeded'] },
    { column: 'desiredDigest', oneOf: [desiredDigest] },
  ]
  const newest = newestOf('runs', combinations({ stackId: [stackId], kind: kinds }), { limit: 2 }, well)
  const row = await db
    .selectFrom('runs')
    .selectAll()
    .where('id', 'in', newest)
    .where('planDigest', 'is not', null)
    .where('id', '!=', notRunId)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row && runCodec.fromRow(row)
}

/** A run that changes something and could begin if a worker had room. */
export interface ReadyChange {
  id: string
  pool: string
  repositoryId: string
  environment: string
  /** Of which the worker must have one; null: any will do. */
  programs: string[] | null
}

/** Pools with runs that wait for nothing but a worker, or a time. */
export async function readyPools(db: Queries): Promise<string[]> {
  const rows = await db
    .selectFrom('runs')
    .select('pool')
    .distinct()
    .where('state', '=', 'queued')
    .where('ready', '=', 1)
    .execute()
  return rows.map(({ pool }) => pool)
}

/** The first `limit` of each pool that are ready: they come straight off the queue's index. */
export async function readyChanges(db: Queries, pools: readonly string[], limit = 50): Promise<ReadyChange[]> {
  const found: ReadyChange[] = []
  for (const pool of pools) {
    const rows = await db
      .selectFrom('runs')
      .innerJoin('stacks', 'stacks.id', 'runs.stackId')
      .select([
        'runs.id',
        'runs.kind',
        'runs.pool',
        'runs.repositoryId',
        'stacks.environment',
        'runs.notBefore',
        'runs.programsJson',
      ])
      .where('runs.state', '=', 'queued')
      .where('runs.pool', '=', pool)
      .where('runs.ready', '=', 1)
      .where('runs.cancelRequestedAt', 'is', null)
      .orderBy('runs.priority', 'desc')
      .limit(limit)
      .execute()
    for (const { kind, notBefore, programsJson, ...run } of rows)
      if (isStateChanging(kind) && (notBefore === null || notBefore <= nowOf(db)))
        found.push({ ...run, programs: programsJson === null ? null : (JSON.parse(programsJson) as string[]) })
  }
  return found
}

/** How many runs these workers hold together. */
export async function countHeld(db: Queries, workerIds: readonly string[]): Promise<number> {
  const { held } = await db
    .selectFrom('runs')
    .select(({ fn }) => fn.countAll<number>().as('held'))
    .where('state', 'in', [...LEASED_STATES])
    .where('workerId', 'in', workerIds)
    .executeTakeFirstOrThrow()
  return Number(held)
}

export interface PlannedFilter {
  stackId: string
  desiredDigest: string
  kinds: readonly RunKind[]
  notRunId: string
}

/**
 * Queued runs with these reasons are due now: what held them back is over, or may be. Returns how many.
 * `environment`: only runs of its stacks.
 */
export async function releaseHeldRuns(
  tx: Queries,
  { repositoryId, environment, reasons }: { repositoryId: string; environment?: string; reasons: readonly string[] },
): Promise<number> {
  let update = tx
    .updateTable('runs')
    .set({ notBefore: nowOf(tx) })
    .where('repositoryId', '=', repositoryId)
    .where('state', '=', 'queued')
    .where('reason', 'in', [...reasons])
  if (environment !== undefined)
    update = update.where((is) =>
      is('stackId', 'in', is.selectFrom('stacks').select('stacks.id').where('stacks.environment', '=', environment)),
    )
  const released = await update.returning(['id', 'stackId']).execute()
  for (const { id, stackId } of released) noteChange(tx, { topic: 'run', id, repositoryId, stackId, work: true })
  return released.length
}

export interface RunsDue {
  reasons: readonly string[]
  now: number
}

/** Queued runs that waited for one of these reasons, until a time that has come; those that waited longest first. */
export async function runsWhoseTimeHasCome(
  db: Queries,
  { reasons, now, limit }: RunsDue & { limit: number },
): Promise<Pick<Run, 'id' | 'stackId' | 'repositoryId'>[]> {
  return await db
    .selectFrom('runs')
    .select(['id', 'stackId', 'repositoryId'])
    .where('state', '=', 'queued')
    .where('notBefore', '<=', now)
    .where('reason', 'in', [...reasons])
    .orderBy('notBefore')
    .limit(limit)
    .execute()
}

/** Says anew why a run waits that is still among those that are due; whether it was. */
export async function explainWait(
  tx: Queries,
  runId: string,
  wait: { reason: string | null; message: string | null; notBefore: number | null },
  { reasons, now }: RunsDue,
): Promise<boolean> {
  const run = await tx
    .updateTable('runs')
    .set({ ...wait, updatedAt: now })
    .where('id', '=', runId)
    .where('state', '=', 'queued')
    .where('notBefore', '<=', now)
    .where('reason', 'in', [...reasons])
    .returning(['id', 'stackId', 'repositoryId'])
    .executeTakeFirst()
  if (run) noteChange(tx, { topic: 'run', ...run, work: true })
  return run !== undefined
}

/** After the clock was set back: runs that wait for a time are looked at now; what a window holds is held again by it. */
export async function hastenRuns(tx: Queries, now: number): Promise<void> {
  const hastened = await tx
    .updateTable('runs')
    .set({ notBefore: now })
    .where('state', '=', 'queued')
    .where('notBefore', '>', now)
    .returning(['id', 'stackId', 'repositoryId'])
    .execute()
  for (const run of hastened) noteChange(tx, { topic: 'run', ...run, work: true })
}

/** Pools with queued runs whose waiting time has ended after `since` and not after `until`. */
export async function poolsWithRunsDue(db: Queries, since: number, until: number): Promise<string[]> {
  const rows = await db
    .selectFrom('runs')
    .select('pool')
    .distinct()
    .where('state', '=', 'queued')
    .where('notBefore', '>', since)
    .where('notBefore', '<=', until)
    .execute()
  return rows.map((row) => row.pool)
}
