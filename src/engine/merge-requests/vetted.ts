import { VOTER } from '../../domain/roles.ts'
import type { MergeRequest } from '../../store/changes/merge-requests.ts'
import { listReviews, type Review } from '../../store/changes/reviews.ts'
import type { EngineParts } from '../parts.ts'
import { isRollback } from '../rolled-back/judge.ts'
import { makersOf } from './makers.ts'
import { type Person, personIn } from './voters.ts'

/**
 * Whether a person who may vote and had no part in it has approved this very head, or Trueup made it itself. An approval that fell away
 * because the plan came counts on: it was for having the plan made, on workers and with inputs that an unapproved change does not
 * get.
 */
export async function isVetted(parts: EngineParts, mr: MergeRequest): Promise<boolean> {
  return isRollback(mr) || (await vouchersOf(parts, mr)).length > 0
}

/** Who may vote, had no part in it and has approved this very head. */
export async function vouchersOf(parts: EngineParts, mr: MergeRequest): Promise<Person[]> {
  const newest = new Map<string, Review>()
  for (const review of await listReviews(parts.store.db, mr.id)) {
    const known = newest.get(review.userId)
    if (review.verdict !== 'comment' && (!known || known.createdAt <= review.createdAt))
      newest.set(review.userId, review)
  }
  const approvals = [...newest.values()].filter(
    ({ verdict, headOid, droppedReason }) =>
      verdict === 'approve' && headOid === mr.headOid && droppedReason !== 'withdrawn',
  )
  if (approvals.length === 0) return []
  const { authorId, pusherIds, namedIds, unknownTip, problem } = await makersOf(parts, mr)
  if (unknownTip !== null || problem !== null) return []
  const makers = new Set([authorId, ...pusherIds, ...namedIds])
  const found: Person[] = []
  for (const { userId } of approvals) {
    if (makers.has(userId)) continue
    const person = await personIn(parts.store.db, mr.repositoryId, userId, VOTER)
    if (person.barred === null) found.push(person)
  }
  return found
}
