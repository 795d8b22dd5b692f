import { CHANGING_KINDS, PENDING_STATES } from '../../domain/runs/run.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import { getMergeRequest } from '../../store/changes/merge-requests.ts'
import { findQuarantine } from '../../store/stacks/quarantine.ts'
import { listRuns, type Run } from '../../store/runs/runs.ts'
import { requireStack } from '../../store/stacks/stacks.ts'
import { createFollower } from '../deploy/begin-again.ts'
import { upstreamOfRetry, waitingOn } from '../deploy/upstream.ts'
import { checkNow, healNow } from '../drift/actions.ts'
import { previewMergeRequest } from '../merge-requests/preview.ts'
import { previewsOf } from '../merge-requests/previews.ts'
import { type EngineParts, userActor } from '../parts.ts'
import { specOfRun } from '../run-spec.ts'
import { requestRun } from '../stacks/request-run.ts'
import { mustGetRun } from './actions.ts'

interface RetryWish {
  runId: string
  actorId: string
}

/**
 * Does a finished run again: the same stack with a fresh plan. What a newer merge has overtaken is not done again (that
 * would be a rollback past Git), nor what is in quarantine. It waits for what the stack needs, like the first one.
 * Errors: NOT_FOUND, CONFLICT.
 */
export async function retryRun(parts: EngineParts, wish: RetryWish): Promise<Run> {
  const doing = `retrying run ${wish.runId}`
  const run = await mustGetRun(parts.store.db, wish.runId, doing)
  if (run.finishedAt === null)
    throw new TrueupError('CONFLICT', { doing, why: `the run is ${run.state}`, next: 'Wait for its end or cancel it.' })
  const stackWish = { stackId: run.stackId, actorId: wish.actorId }
  switch (run.kind) {
    case 'preview':
      return await planAgain(parts, run, doing)
    case 'drift':
      return await checkNow(parts, stackWish)
    case 'heal':
      return await healAgain(parts, run, wish)
    case 'deploy':
    case 'destroy':
      return await deployAgain(parts, run, wish, doing)
  }
}

/** What a person asked for stays what is asked for. */
async function healAgain(parts: EngineParts, run: Run, wish: RetryWish): Promise<Run> {
  const { stackId } = run
  const { actorId } = wish
  const { request } = specOfRun(run)
  if (!request) return await healNow(parts, { stackId, actorId })
  return await requestRun(parts, { stackId, actorId, request, reason: `run ${run.id} once more` })
}

async function planAgain(parts: EngineParts, run: Run, doing: string): Promise<Run> {
  const { mrId } = run
  if (mrId === null) throw new TrueupError('CONFLICT', { doing, why: 'the preview belongs to no merge request' })
  const before = await getMergeRequest(parts.store.db, mrId)
  const [key] = Object.entries(previewsOf(before!)).find(([, preview]) => preview.runId === run.id) ?? []
  if (before?.state !== 'open' || key === undefined) {
    const why = 'its merge request is over, or has a newer plan of the stack'
    throw new TrueupError('CONFLICT', { doing, why })
  }
  await previewMergeRequest(parts, mrId, (ended) => ended.id === run.id)
  const runId = previewsOf((await getMergeRequest(parts.store.db, mrId))!)[key]?.runId
  if (!runId) throw new TrueupError('CONFLICT', { doing, why: 'the merge request does not change that stack any more' })
  return await mustGetRun(parts.store.db, runId, doing)
}

async function deployAgain(parts: EngineParts, run: Run, wish: RetryWish, doing: string): Promise<Run> {
  const spec = specOfRun(run)
  const { stackId } = run
  return await parts.store.transaction(async (tx) => {
    const refuse = (why: string, next: string): never => {
      throw new TrueupError('CONFLICT', { doing, why, next })
    }
    if (run.kind !== 'destroy' && (await findQuarantine(tx, stackId, spec.sourceDigest)))
      refuse('this desired state was rolled back and is quarantined', 'Lift the quarantine, or merge a fix.')
    const stack = await requireStack(tx, stackId)
    const wanted = run.kind === 'deploy' ? stack.desiredDigest === spec.sourceDigest : stack.desiredCommit === null
    if (!wanted) refuse('Git says otherwise by now', 'Roll back by `trueup rollback` instead: that is a Git change.')
    const pending = await listRuns(tx, { stackId, kinds: CHANGING_KINDS, states: PENDING_STATES }, { limit: 1 })
    if (pending.items[0]) refuse(`run ${pending.items[0].id} is to change the stack already`, 'Wait for its end.')
    const upstream = waitingOn(await upstreamOfRetry(tx, run, stack))
    return await createFollower(tx, run, { reason: 'retried', actor: userActor(wish.actorId), ...upstream })
  })
}
