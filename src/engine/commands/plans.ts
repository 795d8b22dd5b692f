import { TrueupError } from '../../lib/errors/error.ts'
import type { Run } from '../../store/runs/runs.ts'
import { heldFork } from '../merge-requests/forks.ts'
import { hasNoPlan, previewMergeRequest } from '../merge-requests/preview.ts'
import { repositoryOf } from '../parts.ts'
import { retryRun } from '../runs/retry.ts'
import { specOfRun } from '../run-spec.ts'
import { isFinal } from '../../domain/runs/run.ts'
import { eachStack, runLine } from './lines.ts'
import { type Act, newestRunsOf, type Order } from './order.ts'

/** Makes plans anew, also those that went well. */
export const plan: Act = {
  needs: () => 'contributor',
  async run(parts, order) {
    requireOpen(order, 'planning')
    const head = await repositoryOf(parts, order.mr.repositoryId).resolve(`refs/heads/${order.mr.sourceBranch}`)
    const held = await heldFork(parts.store.db, order.mr, head ?? order.mr.headOid)
    if (held) throw new TrueupError('FORK_HELD', { doing: held.doing, why: held.why })
    await previewMergeRequest(parts, order.mr.id, among(order))
    return [`planning ${counted(order)}; the plans come into Trueup’s first comment`]
  },
}

/** What has failed once more: plans of an open merge request, deployments of a merged one. */
export const retry: Act = {
  needs: () => 'contributor',
  async run(parts, order) {
    if (order.mr.state !== 'merged') {
      requireOpen(order, 'trying plans again')
      const isMeant = among(order)
      await previewMergeRequest(parts, order.mr.id, (run) => hasNoPlan(run) && isMeant(run))
      return [`plans that failed are made again, of ${counted(order)}`]
    }
    const runs = await newestRunsOf(parts.store.db, order.mr, order.stacks)
    const failed = new Map(
      runs.flatMap(({ stack, run }) => (isFinal(run.state) && run.state !== 'succeeded' ? [[stack.key, run.id]] : [])),
    )
    if (failed.size === 0) return ['nothing has failed there']
    const stacks = order.stacks.filter(({ key }) => failed.has(key))
    return await eachStack(stacks, async ({ key }) => {
      const again = await retryRun(parts, { runId: failed.get(key)!, actorId: order.actorId })
      return runLine('tried again', again.id)
    })
  },
}

export function requireOpen({ mr }: Pick<Order, 'mr'>, doing: string): void {
  if (mr.state !== 'open') throw new TrueupError('CONFLICT', { doing, why: `!${mr.number} is ${mr.state}` })
}

const among = ({ stacks }: Order): ((run: Run) => boolean) => {
  const keys = new Set(stacks.map(({ key }) => key))
  return (run) => {
    const { environment, name } = specOfRun(run).definition
    return keys.has(`${environment}/${name}`)
  }
}

export const counted = ({ stacks, all }: Pick<Order, 'stacks' | 'all'>): string =>
  stacks.length === all.length
    ? `all ${all.length === 1 ? 'stacks (1)' : `${all.length} stacks`}`
    : `${stacks.length} of ${all.length} stacks`
