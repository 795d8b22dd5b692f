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
  noun: 'review',
  codec: makeCodec({ json: ['digests', 'files'] }),
  times: ['createdAt'],
  change: (review) => ({ topic: 'mr', id: review.mrId }),
})

export const createReview = (tx: Queries, review: New<Review>): Promise<Review> => reviews.insert(tx, review)
/** Oldest first, dropped ones too. */
export const listReviews = (db: Queries, mrId: string): Promise<Review[]> => reviews.all(db, { mrId })
/** NOT_FOUND where there is none. */
export const patchReview = (
  tx: Queries,
  id: string,
  patch: Partial<Pick<Review, 'droppedAt' | 'droppedReason' | 'digests'>>,
): Promise<Review> => reviews.update(tx, id, patch)
