import { VOTER } from '../../domain/roles.ts'
import { DEFAULT_POOL, type StackDefinition } from '../../domain/stacks/definition.ts'
import { resolveEnvironment } from '../../domain/stacks/environment.ts'
import type { MergeRequest } from '../../store/changes/merge-requests.ts'
import { listReviews, type Review } from '../../store/changes/reviews.ts'
import type { EngineParts } from '../parts.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'
import { makersOf } from './makers.ts'
import { isRollback } from '../rolled-back/judge.ts'
import { personIn } from './voters.ts'

/**
 * A pool that the target branch does not give this environment: its workers have credentials of their own, and whoever can
 * push a branch can name it.
 */
export function isForeignPool({ environment, key, pool }: StackDefinition, target: Snapshot): boolean {
  if (pool === DEFAULT_POOL || target.stacks.get(key)?.definition.pool === pool) return false
  const { config } = target
  if (!config || !Object.hasOwn(config.environments, environment)) return true
  return resolveEnvironment(environment, config).pool !== pool
}

/**
 * Whether a person who may vote and had no part in it has approved this very head, or Trueup made it itself. An approval that fell away
 * because the plan came counts on: it was for having the plan made.
 */
export async function mayUseForeignPools(parts: EngineParts, mr: MergeRequest): Promise<boolean> {
  if (isRollback(mr)) return true
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
  if (approvals.length === 0) return false
  const { authorId, pusherIds, namedIds, unknownTip, problem } = await makersOf(parts, mr)
  if (unknownTip !== null || problem !== null) return false
  const makers = new Set([authorId, ...pusherIds, ...namedIds])
  for (const { userId } of approvals)
    if (!makers.has(userId) && (await personIn(parts.store.db, mr.repositoryId, userId, VOTER)).barred === null)
      return true
  return false
}
