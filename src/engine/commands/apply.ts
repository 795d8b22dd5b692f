import { TrueupError } from '../../lib/errors/error.ts'
import { RELEASER } from '../../domain/roles.ts'
import { plansShownAt } from '../../store/forges/posts.ts'
import { mergeRequested } from '../merge-requests/merge.ts'
import type { EngineParts } from '../parts.ts'
import { approveRun } from '../runs/actions.ts'
import { eachStack, runLine } from './lines.ts'
import { type Act, newestRunsOf, type Order } from './order.ts'

/**
 * Merges an open merge request, which deploys it; of a merged one it lets deployments go on that wait, with the plans that
 * stood in the comment about them when this was written.
 */
export const apply: Act = {
  needs: ({ said }) => (said.mrState === 'merged' ? RELEASER : 'maintainer'),
  run: (parts, order) => (order.said.mrState === 'merged' ? release(parts, order) : merge(parts, order)),
}

async function merge(parts: EngineParts, { mr, said, actorId, stacks, all }: Order): Promise<string[]> {
  const doing = `merging !${mr.number}`
  if (stacks.length !== all.length)
    throw new TrueupError('INVALID_REQUEST', {
      doing,
      why: 'a merge request is merged as a whole',
      next: 'Write `/trueup apply` alone, or open merge requests of its parts.',
    })
  // A second try after the first one was not heard of.
  if (mr.state === 'merged') return [`merged as ${mr.mergeOid?.slice(0, 10)}; what it deploys is told here`]
  // What is meant is what stood there: somebody may have pushed since, or while it was written.
  const shown = await plansShownAt(parts.store.db, { mrId: mr.id, at: said.writtenAt })
  if (!shown)
    throw new TrueupError('MR_MOVED', {
      doing,
      why: 'no plans stood there when you wrote',
      next: 'Look at the plans once they are there, and write again.',
    })
  const merged = await mergeRequested(parts, { mrId: mr.id, actorId, squash: false, headOid: shown.headOid })
  return [`merged as ${merged.mergeOid?.slice(0, 10)}; what it deploys is told here`]
}

async function release(parts: EngineParts, { mr, said, actorId, stacks }: Order): Promise<string[]> {
  const runs = await newestRunsOf(parts.store.db, mr, stacks)
  const waiting = new Map(
    runs.flatMap(({ stack, run }) => (run.state === 'awaiting_approval' ? [[stack.key, run]] : [])),
  )
  if (waiting.size === 0) return ['nothing waits there']
  const shown = await plansShownAt(parts.store.db, { mrId: mr.id, headOid: mr.mergeOid!, at: said.writtenAt })
  const meant = stacks.filter(({ key }) => waiting.has(key))
  return await eachStack(meant, async ({ key }) => {
    const run = waiting.get(key)!
    const digest = shown?.digests[key]
    if (digest === undefined)
      throw new TrueupError('PLAN_CHANGED', {
        doing: `releasing run ${run.id}`,
        why: 'its plan was not there yet when you wrote',
        next: `Look at it (trueup run show ${run.id} --plan), and write again.`,
      })
    await approveRun(parts, { runId: run.id, digest, actorId })
    return runLine('goes on', run.id)
  })
}
