import { type Expression, type ExpressionBuilder, type SqlBool, sql } from 'kysely'
import { isStateChanging, LEASED_STATES, RUN_KINDS, type RunState } from '../../domain/runs/run.ts'
import { noteChange, type Queries } from '../database/context.ts'
import { inPortions } from '../database/look-up.ts'
import type { Database } from '../database/schema.ts'

/**
 * When a queued run may be granted. Every run that it depends on must have succeeded; and one that changes things (deploy,
 * heal, destroy) further waits
 * - while another such run of its stack is leased: one writer a stack (a unique index holds this too);
 * - while a deploy or destroy of its stack that was merged earlier is pending, also when that one is blocked or waits for
 *   an approval: merges are enacted in merge order;
 * - and, for a heal, while any deploy of its stack is pending: a pending change is not drift.
 *
 * The answer is kept in `runs.ready` and computed again when something of it changes, so that a claim is one step in an
 * index however many runs wait (asking at each claim took 300 ms with 100,000 waiting runs, November 2026).
 */
const CHANGING = RUN_KINDS.filter(isStateChanging)
const PENDING = ['queued', 'blocked', 'awaiting_approval'] as const satisfies RunState[]

/** A run that has just been made or has just moved. */
type MovedRun = Pick<Database['runs'], 'id' | 'stackId' | 'kind' | 'state'>

/**
 * Keeps `ready` right after a run was made (`from` null) or moved from another state, in both cases with its own `ready`
 * at 0. Returns what that is now.
 */
export async function refreshReady(tx: Queries, run: MovedRun, from: RunState | null): Promise<number> {
  const changed: string[] = []
  if (isStateChanging(run.kind)) {
    if (standing(from) !== standing(run.state)) changed.push(...(await refreshStack(tx, run.stackId)))
  } else if (run.state === 'queued') changed.push(...(await refreshRun(tx, run.id)))
  if (run.state === 'succeeded') await refreshDependents(tx, run.id)
  return changed.includes(run.id) ? 1 : 0
}

/**
 * Whether runs that are about to be made may be granted at once, without asking for each: those that change nothing, or
 * that are the only change of their stack under way. The others are left out; they are asked for once they are there.
 */
export async function readyOfFresh(
  tx: Queries,
  runs: readonly (MovedRun & { dependsOn: readonly string[] })[],
): Promise<Map<string, boolean>> {
  const changing = runs.filter(({ kind }) => isStateChanging(kind)).map(({ stackId }) => stackId)
  const busy = await stacksWithChange(tx, changing)
  const met = await succeeded(
    tx,
    runs.flatMap(({ dependsOn }) => dependsOn),
  )
  const counts = new Map<string, number>()
  for (const stackId of changing) counts.set(stackId, (counts.get(stackId) ?? 0) + 1)
  const ready = new Map<string, boolean>()
  for (const { id, stackId, kind, state, dependsOn } of runs) {
    if (isStateChanging(kind) && (busy.has(stackId) || counts.get(stackId)! > 1)) continue
    ready.set(id, state === 'queued' && dependsOn.every((runId) => met.has(runId)))
  }
  return ready
}

async function stacksWithChange(tx: Queries, stackIds: readonly string[]): Promise<Set<string>> {
  const found = await inPortions(stackIds, (part) =>
    tx
      .selectFrom('runs')
      .select('stackId as id')
      .where('stackId', 'in', part)
      .where('kind', 'in', CHANGING)
      .where('finishedAt', 'is', null)
      .execute(),
  )
  return new Set(found.map(({ id }) => id))
}

async function succeeded(tx: Queries, runIds: readonly string[]): Promise<Set<string>> {
  const found = await inPortions(runIds, (part) =>
    tx.selectFrom('runs').select('id').where('id', 'in', part).where('state', '=', 'succeeded').execute(),
  )
  return new Set(found.map(({ id }) => id))
}

/** What a run is to the others of its stack. */
function standing(state: RunState | null): 'queued' | 'pending' | 'active' | 'over' | null {
  if (state === null) return null
  if (state === 'queued') return 'queued'
  if (state === 'blocked' || state === 'awaiting_approval') return 'pending'
  return (LEASED_STATES as readonly RunState[]).includes(state) ? 'active' : 'over'
}

/** After a dependency was added. */
export const refreshRun = (tx: Queries, runId: string): Promise<string[]> => refresh(tx, (is) => is('r.id', '=', runId))

const refreshStack = (tx: Queries, stackId: string): Promise<string[]> =>
  refresh(tx, (is) => is('r.stackId', '=', stackId))

/** One by one: asked for all at once, the database would rather look through the whole queue. */
async function refreshDependents(tx: Queries, runId: string): Promise<void> {
  const rows = await tx.selectFrom('runDependencies').select('runId').where('dependsOnRunId', '=', runId).execute()
  for (const row of rows) await refreshRun(tx, row.runId)
}

/** Ids of the runs whose `ready` has changed. */
async function refresh(tx: Queries, which: (is: QueuedRun) => Expression<SqlBool>): Promise<string[]> {
  const changed = await tx
    .updateTable('runs as r')
    .set({ ready: sql<number>`1 - ${sql.ref('r.ready')}` })
    .where('r.state', '=', 'queued')
    .where('r.finishedAt', 'is', null)
    .where(which)
    .where((is) => is('r.ready', '!=', is.case().when(mayBeGranted(is)).then(1).else(0).end()))
    .returning(['id', 'stackId', 'repositoryId'])
    .execute()
  for (const { id, stackId, repositoryId } of changed)
    noteChange(tx, { topic: 'run', id, repositoryId, stackId, work: true })
  return changed.map((run) => run.id)
}

type QueuedRun = ExpressionBuilder<Database & { r: Database['runs'] }, 'r'>

function mayBeGranted(is: QueuedRun): Expression<SqlBool> {
  const reads = is('r.kind', 'not in', CHANGING)
  return is.and([is.not(is.exists(unfinishedDependency(is))), is.or([reads, is.not(is.exists(runToWaitFor(is)))])])
}

function unfinishedDependency(is: QueuedRun) {
  return is
    .selectFrom('runDependencies as d')
    .innerJoin('runs as u', 'u.id', 'd.dependsOnRunId')
    .select('u.id')
    .whereRef('d.runId', '=', 'r.id')
    .where('u.state', '!=', 'succeeded')
}

function runToWaitFor(is: QueuedRun) {
  return is
    .selectFrom('runs as o')
    .select('o.id')
    .whereRef('o.stackId', '=', 'r.stackId')
    .where('o.finishedAt', 'is', null)
    .whereRef('o.id', '!=', 'r.id')
    .where('o.kind', 'in', CHANGING)
    .where((is) => {
      const pendingDeploy = is.and([is('o.state', 'in', PENDING), is('o.kind', '!=', 'heal')])
      return is.or([
        is('o.state', 'in', [...LEASED_STATES]),
        is.and([pendingDeploy, is.or([is('r.kind', '=', 'heal'), mergedEarlier(is)])]),
      ])
    })
}

/** A total order (a missing sequence counts as 0), for otherwise three runs could wait for each other in a ring. */
function mergedEarlier(
  is: ExpressionBuilder<Database & { r: Database['runs']; o: Database['runs'] }, 'r' | 'o'>,
): Expression<SqlBool> {
  const theirs = is.fn.coalesce('o.mergeSequence', is.lit(0))
  const ours = is.fn.coalesce('r.mergeSequence', is.lit(0))
  const older = is.or([
    is('o.createdAt', '<', is.ref('r.createdAt')),
    is.and([is('o.createdAt', '=', is.ref('r.createdAt')), is('o.id', '<', is.ref('r.id'))]),
  ])
  return is.or([is(theirs, '<', ours), is.and([is(theirs, '=', ours), older])])
}
