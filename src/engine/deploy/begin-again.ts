import { appendAudit } from '../../store/audit/audit.ts'
import type { Queries, Tx } from '../../store/database/context.ts'
import { createRun, getRun, listRuns, type NewRun, type Run } from '../../store/runs/runs.ts'
import { stackCapabilities } from '../driver-capabilities.ts'
import { SYSTEM } from '../parts.ts'
import { specOfRun, specToJson } from '../run-spec.ts'
import { refreshStack } from '../stacks/status.ts'
import { appliedOf } from '../applied.ts'
import { blockDependents, moveDependents } from './dependencies.ts'

/** Times that a run is begun before it is given up, after its worker was lost or its plan was stale. */
const MAX_ATTEMPTS = 3

/** Why a run is followed by another one of itself. */
export type AgainReason = 'previous_attempt_lost' | 'plan_stale'

/**
 * A run whose worker was lost while the world may have been changing is followed by a new one with a fresh plan, in the
 * transaction that finds the loss: no newer merge may come in between. Where the driver's apply is not idempotent and it
 * is not known that the apply had ended, the new run waits for a person.
 *
 * So is one whose target moved between plan and apply, which a driver says before it changes anything: the fresh plan is
 * compared with what was approved like any other.
 */
export async function beginAgain(tx: Tx, run: Run, reason: AgainReason): Promise<void> {
  const followers = await listRuns(tx, { stackId: run.stackId, kinds: [run.kind] }, { limit: 50 })
  if (followers.items.some((follower) => follower.retryOfRunId === run.id)) return
  if ((await attempts(tx, run)) >= MAX_ATTEMPTS) return await giveUp(tx, run)
  await createFollower(tx, run, { reason, actor: SYSTEM })
}

/** The same run once more with a fresh plan, in the place of the one that ended. */
export async function createFollower(
  tx: Tx,
  run: Run,
  why: Pick<NewRun, 'reason' | 'actor' | 'state' | 'dependsOn'>,
): Promise<Run> {
  const asks = mustAsk(run)
  const follower = await createRun(tx, {
    stackId: run.stackId,
    repositoryId: run.repositoryId,
    kind: run.kind,
    commitOid: run.commitOid,
    desiredDigest: run.desiredDigest,
    spec: specToJson({ ...specOfRun(run), afterLostApply: asks }),
    pool: run.pool,
    ...(run.programs && { programs: run.programs }),
    retryOfRunId: run.id,
    ...why,
    ...(run.mrId !== null && { mrId: run.mrId }),
    ...(run.mergeSequence !== null && { mergeSequence: run.mergeSequence }),
    ...carriedApproval(run, asks),
  })
  await moveDependents(tx, run.id, follower.id)
  await refreshStack(tx, run.stackId)
  return follower
}

/** Whether a person has to look before the apply of this lost run is repeated. */
const mustAsk = (run: Run): boolean =>
  run.state === 'lost' &&
  !stackCapabilities(specOfRun(run).definition).idempotentApply &&
  appliedOf(run)?.status !== 'applied'

/** What was approved stays so for the run that follows; where a person has to look, only as what to compare with. */
function carriedApproval(run: Run, asks: boolean): Pick<NewRun, 'approvedPlan' | 'approvedDigest' | 'approvedById'> {
  return {
    ...(run.approvedPlan && { approvedPlan: run.approvedPlan }),
    ...(run.approvedDigest !== null && !asks && { approvedDigest: run.approvedDigest }),
    ...(run.approvedById !== null && { approvedById: run.approvedById }),
  }
}

async function attempts(tx: Queries, run: Run): Promise<number> {
  let count = 1
  for (let id = run.retryOfRunId; id !== null; ) {
    const earlier = await getRun(tx, id)
    if (earlier?.state !== 'lost' && earlier?.reason !== 'plan_stale') break
    count += 1
    id = earlier.retryOfRunId
  }
  return count
}

async function giveUp(tx: Tx, run: Run): Promise<void> {
  await appendAudit(tx, {
    actor: SYSTEM,
    action: 'run.given_up',
    subject: run.id,
    repositoryId: run.repositoryId,
    data: { runId: run.id, attempts: MAX_ATTEMPTS },
  })
  await blockDependents(tx, run)
  await refreshStack(tx, run.stackId)
}
