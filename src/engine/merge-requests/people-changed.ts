import { openReviewedBy } from '../../store/changes/reviews.ts'
import type { Tx } from '../../store/database/context.ts'
import { orderEvaluation, orderPreview } from '../run-tasks.ts'

/**
 * A person's role, teams or account have changed, and with them what their standing votes count: the merge requests that have
 * one are judged anew, and merged where nothing is missing now. To be called in the transaction of the change.
 */
export async function votesChanged(tx: Tx, who: { userId: string; repositoryId?: string }): Promise<void> {
  for (const mrId of await openReviewedBy(tx, who)) {
    await orderEvaluation(tx, mrId)
    // A vote may let plans be made on workers of others.
    await orderPreview(tx, mrId)
  }
}
