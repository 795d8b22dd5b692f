import { TrueupError } from '../../lib/errors/error.ts'
import { appendAudit } from '../../store/audit/audit.ts'
import { requireOpenMergeRequest } from '../../store/changes/merge-requests.ts'
import { noteChange } from '../../store/open.ts'
import { createReview, listReviews, patchReview, type Review } from '../../store/changes/reviews.ts'
import { enqueueTask } from '../../store/runs/tasks.ts'
import type { NewReview } from '../forge.ts'
import type { Store } from '../../store/open.ts'

/** Records a review; an earlier one of the same person no longer counts. */
export async function reviewMergeRequest(store: Store, review: NewReview): Promise<Review> {
  return await store.transaction(async (tx) => {
    const doing = 'reviewing the merge request'
    const mr = await requireOpenMergeRequest(tx, review.mrId, doing)
    if (mr.headOid !== review.headOid) {
      const why = `"${mr.sourceBranch}" has moved from ${review.headOid.slice(0, 10)} to ${mr.headOid.slice(0, 10)}`
      throw new TrueupError('MR_MOVED', { doing, why, next: 'Look at the new commits and plans, then review again.' })
    }
    if (review.verdict === 'approve' && review.userId === mr.authorId) {
      const why = `you are the author of !${mr.number}, and nobody approves their own change`
      throw new TrueupError('FORBIDDEN', { doing, why, next: 'Ask a second person for a review.' })
    }
    const now = store.clock.now()
    if (review.verdict !== 'comment') {
      for (const earlier of await listReviews(tx, mr.id)) {
        if (earlier.userId !== review.userId || earlier.droppedAt !== null || earlier.verdict === 'comment') continue
        await patchReview(tx, earlier.id, {
          droppedAt: now,
          droppedReason: 'replaced by a newer review of the same person',
        })
      }
    }
    const recorded = await createReview(tx, {
      mrId: mr.id,
      userId: review.userId,
      verdict: review.verdict,
      headOid: review.headOid,
      digests: review.digests,
      files: review.files,
      body: review.body,
      provenAt: review.provenAt ?? null,
    })
    await appendAudit(tx, {
      actor: `user:${review.userId}`,
      action: `mr.${review.verdict}`,
      subject: mr.id,
      repositoryId: mr.repositoryId,
      data: { number: mr.number, headOid: review.headOid, digests: review.digests },
    })
    await enqueueTask(tx, { kind: 'mr.evaluate', key: mr.id, payload: { mrId: mr.id } })
    // An approval may let plans be made, and its end may not.
    if (review.verdict !== 'comment')
      await enqueueTask(tx, { kind: 'mr.preview', key: mr.id, payload: { mrId: mr.id } })
    noteChange(tx, { topic: 'mr', id: mr.id, repositoryId: mr.repositoryId })
    return recorded
  })
}

/** Takes one's own approval or request for changes back. NOT_FOUND where there is none. */
export async function withdrawReview(store: Store, mrId: string, userId: string): Promise<void> {
  await store.transaction(async (tx) => {
    const doing = 'withdrawing a review'
    const mr = await requireOpenMergeRequest(tx, mrId, doing)
    const standing = (await listReviews(tx, mrId)).filter(
      (review) => review.userId === userId && review.droppedAt === null && review.verdict !== 'comment',
    )
    if (standing.length === 0) throw new TrueupError('NOT_FOUND', { doing, why: 'you have no standing review here' })
    for (const review of standing) {
      await patchReview(tx, review.id, { droppedAt: store.clock.now(), droppedReason: 'withdrawn' })
    }
    await appendAudit(tx, {
      actor: `user:${userId}`,
      action: 'mr.review_withdrawn',
      subject: mr.id,
      repositoryId: mr.repositoryId,
    })
    await enqueueTask(tx, { kind: 'mr.evaluate', key: mr.id, payload: { mrId: mr.id } })
    await enqueueTask(tx, { kind: 'mr.preview', key: mr.id, payload: { mrId: mr.id } })
    noteChange(tx, { topic: 'mr', id: mr.id, repositoryId: mr.repositoryId })
  })
}
