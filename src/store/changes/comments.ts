import { newId } from '../../lib/ids.ts'
import { nowOf, type Queries } from '../database/context.ts'
import { makePlainEntity, type New } from '../database/entity.ts'
import type { Database } from '../database/schema.ts'

export type Comment = Database['comments']

const comments = makePlainEntity({
  table: 'comments',
  prefix: 'comment',
  times: ['createdAt', 'updatedAt'],
  change: (comment) => ({ topic: 'mr', id: comment.mrId }),
})

/** `threadId` null begins a thread. CONFLICT when the merge request has a comment with this marker. */
export function createComment(
  tx: Queries,
  comment: Omit<New<Comment>, 'threadId'> & { threadId: string | null },
): Promise<Comment> {
  const id = comment.id ?? newId('comment', nowOf(tx))
  return comments.insert(tx, { ...comment, id, threadId: comment.threadId ?? id })
}

/** Oldest first. */
export const listComments = (db: Queries, mrId: string): Promise<Comment[]> => comments.all(db, { mrId })
/** NOT_FOUND where there is none. */
export const patchComment = (
  tx: Queries,
  id: string,
  patch: Partial<Pick<Comment, 'body' | 'resolvedById' | 'resolvedAt' | 'line' | 'oid'>>,
): Promise<Comment> => comments.update(tx, id, patch)
