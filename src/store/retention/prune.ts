import { nowOf, type Queries } from '../database/context.ts'
import type { Store } from '../store.ts'
import type { Retention } from './retention.ts'

const DAY_MS = 86_400_000
/** Runs that one transaction looks at. */
const PORTION = 200

/** How many runs lost what. */
export interface Pruned {
  logs: number
  plans: number
  runs: number
}

/**
 * Removes what is older than it is to be kept, a portion of runs in a transaction, so that everything else has its turn
 * between two. `dryRun`: only counts. Never what something still leads to: what has not ended, what an open merge request
 * shows, the newest of its kind on a stack (its status is read from it), and what changed anything.
 */
export async function prune(
  store: Store,
  retention: Retention,
  { dryRun = false, signal }: { dryRun?: boolean; signal?: AbortSignal } = {},
): Promise<Pruned> {
  const pruned: Pruned = { logs: 0, plans: 0, runs: 0 }
  const now = nowOf(store.db)
  const before = {
    logs: now - retention.logs * DAY_MS,
    plans: now - retention.plans * DAY_MS,
    runs: now - retention.runs * DAY_MS,
  }
  const oldest = Math.max(...Object.values(before))
  for (let after = ''; !signal?.aborted; ) {
    const rows = await portion(store.db, after, oldest)
    const last = rows.at(-1)
    if (!last) break
    after = last.id
    const ended = rows.flatMap(({ finishedAt, ...row }) => (finishedAt === null ? [] : [{ ...row, finishedAt }]))
    const free = ended.filter(({ kind, leadsHere }) => (kind === 'preview' || kind === 'drift') && !leadsHere)
    const runs = free.filter(({ finishedAt }) => finishedAt < before.runs).map(({ id }) => id)
    const gone = new Set(runs)
    const plans = free.filter(({ id, finishedAt, planned }) => !gone.has(id) && planned && finishedAt < before.plans)
    const logs = ended.filter(({ id, finishedAt, logSize }) => !gone.has(id) && logSize > 0 && finishedAt < before.logs)
    pruned.runs += runs.length
    pruned.plans += plans.length
    pruned.logs += logs.length
    if (dryRun) continue
    await store.transaction(async (tx) => {
      await removeLogs(tx, [...runs, ...logs.map(({ id }) => id)])
      await removePlans(
        tx,
        plans.map(({ id }) => id),
      )
      if (runs.length === 0) return
      await tx.deleteFrom('runDependencies').where('runId', 'in', runs).execute()
      await tx.deleteFrom('runs').where('id', 'in', runs).execute()
    })
  }
  return pruned
}

/** The next runs in the order of their making that were made before a time. */
function portion(db: Queries, after: string, madeBefore: number) {
  return db
    .selectFrom('runs')
    .leftJoin('mergeRequests', 'mergeRequests.id', 'runs.mrId')
    .select(['runs.id', 'runs.kind', 'runs.finishedAt', 'runs.logSize'])
    .select((is) => [
      is('runs.planJson', 'is not', null).as('planned'),
      is
        .or([
          is('mergeRequests.state', 'in', ['open', 'merging']),
          // Nothing newer of its kind.
          is.not(
            is.exists(
              is
                .selectFrom('runs as newer')
                .select('newer.id')
                .whereRef('newer.stackId', '=', 'runs.stackId')
                .whereRef('newer.kind', '=', 'runs.kind')
                .whereRef('newer.id', '>', 'runs.id'),
            ),
          ),
          is.exists(
            is.selectFrom('runDependencies as d').select('d.runId').whereRef('d.dependsOnRunId', '=', 'runs.id'),
          ),
        ])
        .as('leadsHere'),
    ])
    .where('runs.id', '>', after)
    .where('runs.createdAt', '<', madeBefore)
    .orderBy('runs.id')
    .limit(PORTION)
    .execute()
}

async function removeLogs(tx: Queries, runIds: readonly string[]): Promise<void> {
  if (runIds.length === 0) return
  await tx
    .deleteFrom('runLogs')
    .where('runId', 'in', [...runIds])
    .execute()
  // A reader goes on until it has read as much as there is.
  await tx
    .updateTable('runs')
    .set({ logSize: 0, logBase: 0 })
    .where('id', 'in', [...runIds])
    .execute()
}

async function removePlans(tx: Queries, runIds: readonly string[]): Promise<void> {
  if (runIds.length === 0) return
  const nothing = { planJson: null, checksJson: null, verifyJson: null, resultJson: null, approvedPlanJson: null }
  await tx
    .updateTable('runs')
    .set(nothing)
    .where('id', 'in', [...runIds])
    .execute()
}
