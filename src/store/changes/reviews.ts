import type { Queries } from '../database/context.ts'
import { type FromRow, makeCodec } from '../database/codec.ts'
import { makeEntity, type New } from '../database/entity.ts'
import type { StackKey } from '../../domain/stacks/stack.ts'
import type { Database } from '../database/schema.ts'

/** `digests`: stack key → plan digest that the reviewer saw; `files`: owned file → its content. */
export type Review = FromRow<
  Database['reviews'],
  { digests: { [stack: StackKey]: string }; files: { [path: string]: string } }
>

const reviews = makeEntity<'reviews', Review>({
  table: 'reviews',
  prefix: 'review',
  codec: makeCodec({ json: ['digests', 'files'] }),
  change: (review) => ({ topic: 'mr', id: review.mrId }),
})

export const createReview = (tx: Queries, review: New<Review>): Promise<Review> => reviews.insert(tx, review)
/** Oldest first, dropped ones too. */
export const listReviews = (db: Queries, mrId: string): Promise<Review[]> => reviews.all(db, { mrId })

/** Ids of open merge requests in which a person has a standing vote. */
export async function openReviewedBy(
  db: Queries,
  { userId, repositoryId }: { userId: string; repositoryId?: string },
): Promise<string[]> {
  let query = db
    .selectFrom('reviews')
    .innerJoin('mergeRequests', 'mergeRequests.id', 'reviews.mrId')
    .select('mergeRequests.id')
    .distinct()
    .where('reviews.userId', '=', userId)
    .where('reviews.droppedAt', 'is', null)
    .where('reviews.verdict', '!=', 'comment')
    .where('mergeRequests.state', '=', 'open')
  if (repositoryId !== undefined) query = query.where('mergeRequests.repositoryId', '=', repositoryId)
  return (await query.orderBy('mergeRequests.id').execute()).map(({ id }) => id)
}

/** NOT_FOUND where there is none. */
export const patchReview = (
  tx: Queries,
  id: string,
  patch: Partial<Pick<Review, 'droppedAt' | 'droppedReason' | 'digests'>>,
): Promise<Review> => reviews.update(tx, id, patch)
