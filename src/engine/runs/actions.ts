import { TrueupError } from '../../lib/errors/error.ts'
import { appendAudit } from '../../store/audit/audit.ts'
import type { Queries } from '../../store/database/context.ts'
import { getMergeRequest } from '../../store/changes/merge-requests.ts'
import { getRun, patchRun, requestCancel, type Run, transitionRun } from '../../store/runs/runs.ts'
import { isNamed, namesOf } from '../../domain/gates/votes.ts'
import { isOfForge } from '../../domain/stacks/environment.ts'
import { groupsOfUser, readNamed, toldOf } from '../merge-requests/groups.ts'
import { getUser } from '../../store/people/users.ts'
import { environmentRules } from '../stacks/environment-rules.ts'
import { makersOf } from '../merge-requests/makers.ts'
import { type EngineParts, userActor } from '../parts.ts'
import { specOfRun } from '../run-spec.ts'
import { followUpRun } from '../run-tasks.ts'
import { refreshStack } from '../stacks/status.ts'

export async function mustGetRun(queries: Queries, runId: string, doing: string): Promise<Run> {
  const run = await getRun(queries, runId)
  if (!run) throw new TrueupError('NOT_FOUND', { doing, why: `there is no run ${runId}` })
  return run
}

/**
 * Lets a waiting run go on with the plan it showed. It is planned again, and applied only when that plan has the same
 * digest. Who made the merge request cannot release what waits for an approval of others.
 */
export async function approveRun(
  parts: EngineParts,
  wish: { runId: string; digest: string; actorId: string; reason?: string },
): Promise<Run> {
  const doing = `approving run ${wish.runId}`
  const seen = await mustGetRun(parts.store.db, wish.runId, doing)
  const makers = await makersOfRun(parts, seen)
  const stranger = await strangerTo(parts, seen, wish.actorId)
  if (stranger !== null && wish.reason === undefined)
    throw new TrueupError('FORBIDDEN', { doing, why: stranger, next: 'Ask one of them.' })
  return await parts.store.transaction(async (tx) => {
    const run = await mustGetRun(tx, wish.runId, doing)
    if (run.state !== 'awaiting_approval') {
      const why = `the run is ${run.state}${run.reason ? ` (${run.reason})` : ''}`
      throw new TrueupError('CONFLICT', { doing, why })
    }
    if (run.planDigest !== wish.digest) {
      throw new TrueupError('PLAN_CHANGED', { doing, why: `its plan is ${run.planDigest}, not ${wish.digest}` })
    }
    const own = await ownedBy(tx, run, wish.actorId, makers)
    if (own !== null && wish.reason === undefined) {
      const next = 'Ask a second person, or give a reason to go on alone (recorded as a bypass).'
      throw new TrueupError('FORBIDDEN', { doing, why: `you are ${own}, and nobody approves their own change`, next })
    }
    await patchRun(tx, run.id, { approvedDigest: wish.digest, approvedPlan: run.plan, approvedById: wish.actorId })
    const queued = await transitionRun(tx, {
      runId: run.id,
      to: 'queued',
      from: ['awaiting_approval'],
      reason: 'approved',
      actor: userActor(wish.actorId),
      data: {
        digest: wish.digest,
        bypass: own !== null || stranger !== null,
        ...(wish.reason !== undefined && { approvalReason: wish.reason }),
      },
    })
    await refreshStack(tx, run.stackId)
    return queued
  })
}

/** Where an environment names its approvers, they release its waiting runs too: why this person is none; null for one. */
async function strangerTo(parts: EngineParts, run: Run, actorId: string): Promise<string | null> {
  const { environment } = specOfRun(run).definition
  const from = (await environmentRules(parts, run.repositoryId, environment))?.approvals.from ?? []
  if (from.length === 0) return null
  const user = await getUser(parts.store.db, actorId)
  await readNamed(parts, run.repositoryId, from.map(({ kind, name }) => `${kind}:${name}`).filter(isOfForge), 0)
  const groups = await groupsOfUser(parts.store.db, run.repositoryId, actorId)
  if (isNamed(from, { name: user?.name, groups })) return null
  const told = await toldOf(parts.store.db, run.repositoryId, from)
  return `environment "${environment}" takes approvals of ${namesOf(told)} only`
}

/** Why this person may not release the run, as a part of a sentence; null where they may. */
async function ownedBy(tx: Queries, run: Run, actorId: string, makers: readonly string[]): Promise<string | null> {
  if (specOfRun(run).orderedById === actorId) return 'the one who ordered it'
  const mr = run.mrId === null ? undefined : await getMergeRequest(tx, run.mrId)
  if (!mr) return null
  if (mr.authorId === actorId) return `the author of !${mr.number}`
  return makers.includes(actorId) ? `among those who made !${mr.number}` : null
}

/** Ids of those who have a part in the merge request behind the run. */
async function makersOfRun(parts: EngineParts, run: Run): Promise<string[]> {
  const mr = run.mrId === null ? undefined : await getMergeRequest(parts.store.db, run.mrId)
  if (!mr) return []
  const { pusherIds, namedIds } = await makersOf(parts, mr)
  return [...pusherIds, ...namedIds]
}

/** Asks for the end of a run; one under way gets SIGINT, a grace, and SIGKILL. */
export async function cancelRun(
  parts: EngineParts,
  wish: { runId: string; actorId: string; reason?: string },
): Promise<Run> {
  const run = await parts.store.transaction(async (tx) => {
    const canceled = await requestCancel(tx, {
      runId: wish.runId,
      reason: 'canceled_by_user',
      actor: userActor(wish.actorId),
    })
    const data = { state: canceled.state, ...(wish.reason !== undefined && { reason: wish.reason }) }
    await appendAudit(tx, {
      actor: userActor(wish.actorId),
      action: 'run.cancel',
      subject: canceled.id,
      repositoryId: canceled.repositoryId,
      data,
    })
    if (canceled.finishedAt !== null) await followUpRun(tx, canceled)
    await refreshStack(tx, canceled.stackId)
    return canceled
  })
  if (run.workerId && run.leaseUntil !== null)
    parts.hub.send(run.workerId, { event: 'cancel', runId: run.id, reason: 'canceled_by_user' })
  return run
}
