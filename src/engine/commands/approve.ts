import { TrueupError } from '../../lib/errors/error.ts'
import { VOTER } from '../../domain/roles.ts'
import { type MergeRequest, requireOpenMergeRequest } from '../../store/changes/merge-requests.ts'
import { listReviews } from '../../store/changes/reviews.ts'
import { plansShownAt } from '../../store/forges/posts.ts'
import { previewMergeRequest } from '../merge-requests/preview.ts'
import { type EngineParts, repositoryOf } from '../parts.ts'
import { counted, requireOpen } from './plans.ts'
import type { Act, Order } from './order.ts'

/**
 * Approves the plans that stood on the page when the comment was written: all, or those of some environments, beside what
 * the same person has approved of this head before.
 */
export const approve: Act = {
  needs: () => VOTER,
  async run(parts, order) {
    const { actorId, said } = order
    const doing = `approving !${order.mr.number}`
    requireOpen(order, doing)
    const forge = await parts.forges.of(order.mr.repositoryId)
    const mr = await asItIsNow(parts, order.mr.id, doing)
    const shown = await plansShownAt(parts.store.db, { mrId: mr.id, headOid: mr.headOid, at: said.writtenAt })
    if (!shown) throw unseen(doing, `no plans of ${mr.headOid.slice(0, 10)} stood there`)
    const missing = order.stacks.find(({ key }) => !Object.hasOwn(shown.digests, key))
    if (missing) throw unseen(doing, `the plan of ${missing.key} was not there yet`)
    const digests = meant(order, shown.digests, doing)
    const earlier = await standingOf(parts, mr.id, { userId: actorId, headOid: mr.headOid })
    await forge.reviews.give({
      mrId: mr.id,
      userId: actorId,
      verdict: 'approve',
      body: order.command.text,
      headOid: mr.headOid,
      digests: { ...earlier, ...digests },
      files: shown.files,
    })
    return [`approved ${mr.headOid.slice(0, 10)} with the plans of ${counted(order)}`]
  },
}

/** With the head that its branch has on the forge, which may have moved a moment ago. */
async function asItIsNow(parts: EngineParts, mrId: string, doing: string): Promise<MergeRequest> {
  const { repositoryId } = await requireOpenMergeRequest(parts.store.db, mrId, doing)
  await (await parts.forges.of(repositoryId)).changes.readAgain(mrId)
  const mr = await requireOpenMergeRequest(parts.store.db, mrId, doing)
  const head = await repositoryOf(parts, repositoryId).resolve(`refs/heads/${mr.sourceBranch}`)
  if (head === mr.headOid) return mr
  await previewMergeRequest(parts, mrId)
  return await requireOpenMergeRequest(parts.store.db, mrId, doing)
}

const unseen = (doing: string, why: string): TrueupError =>
  new TrueupError('MR_MOVED', {
    doing,
    why: `${why} when you wrote`,
    next: 'Look at the plans once they are there, and approve then.',
  })

/** An approval is of whole environments: it would not hold for one of which it leaves something out. */
function meant({ stacks, all }: Order, shown: { [key: string]: string }, doing: string): { [key: string]: string } {
  if (stacks.length === all.length) return shown
  const environments = new Set(stacks.map(({ environment }) => environment))
  const left = all.filter((stack) => environments.has(stack.environment) && !stacks.includes(stack))
  if (left.length > 0)
    throw new TrueupError('INVALID_REQUEST', {
      doing,
      why: `approvals are of whole environments, and this leaves out ${left[0]!.key}`,
      next: 'Write `/trueup approve -e ENVIRONMENT`.',
    })
  return Object.fromEntries(Object.entries(shown).filter(([key]) => environments.has(key.slice(0, key.indexOf('/')))))
}

async function standingOf(
  parts: EngineParts,
  mrId: string,
  who: { userId: string; headOid: string },
): Promise<{ [key: string]: string }> {
  const reviews = await listReviews(parts.store.db, mrId)
  const own = reviews.findLast(
    ({ userId, headOid, verdict, droppedAt }) =>
      userId === who.userId && headOid === who.headOid && verdict === 'approve' && droppedAt === null,
  )
  return (own?.digests ?? {}) as { [key: string]: string }
}
