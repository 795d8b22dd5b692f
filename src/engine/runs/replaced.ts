import type { Run } from '../../store/runs/runs.ts'
import { replacedRuns, type Replaced } from '../../store/runs/replaced.ts'
import type { Tx } from '../../store/database/context.ts'
import { moveDependents } from '../deploy/dependencies.ts'
import type { EngineParts } from '../parts.ts'
import { holdOf } from '../stacks/held.ts'

/** Reason of a deployment or heal whose wait was ended for the newer change that follows it. */
export const NEWER_MERGE = 'newer_merge'

/**
 * Runs whose wait a newer change ends: a fix or a rollback does not wait for the end of the patience with what it mends.
 * Where a window or a freeze holds the newer one back, nothing is cut short for it.
 */
async function replacedNow(parts: EngineParts, only: Parameters<typeof replacedRuns>[1]): Promise<Replaced[]> {
  const { db, clock } = parts.store
  const found: Replaced[] = []
  for (const run of await replacedRuns(db, only, clock.now()))
    if ((await holdOf(parts, run.repositoryId, run.environment)) === null) found.push(run)
  return found
}

/** What a heartbeat says of it: the ids of this worker's runs. */
export const replacedOf = async (parts: EngineParts, workerId: string): Promise<string[]> =>
  (await replacedNow(parts, { workerId })).map(({ runId }) => runId)

const NAMED = 200

/** Tells the workers at once; what is lost on the way, the next heartbeat says again. */
export async function tellReplaced(parts: EngineParts, stackIds: readonly string[]): Promise<void> {
  // Few runs are under way at once; a long list of stacks would cost more than to look at all of them.
  for (const { runId, workerId } of await replacedNow(parts, stackIds.length > NAMED ? {} : { stackIds }))
    parts.hub.send(workerId, { event: 'replaced', runId })
}

/**
 * A run was ended by its worker and nobody had asked for it: the change that it made way for, which what waited for this run
 * waits for from now on. Null where there is none.
 */
export async function makeWayForNewer(tx: Tx, run: Run, now: number): Promise<Replaced | null> {
  if (run.cancelRequestedAt !== null) return null
  const [replaced] = await replacedRuns(tx, { runId: run.id }, now)
  if (!replaced) return null
  await moveDependents(tx, run.id, replaced.byRunId)
  return replaced
}
