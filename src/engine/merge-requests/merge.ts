import type { MergeHow } from '../../forges/forge.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import { canonicalJson, type Json } from '../../lib/json.ts'
import {
  getMergeRequest,
  listMergeRequests,
  type MergeRequest,
  requireOpenMergeRequest,
} from '../../store/changes/merge-requests.ts'
import { pushersOf } from '../../store/changes/refs.ts'
import { listReviews } from '../../store/changes/reviews.ts'
import type { Queries } from '../../store/database/context.ts'
import { type EngineParts, repositoryOf } from '../parts.ts'
import { judge } from './gate.ts'
import { readGroups } from './groups.ts'
import { previewMergeRequest } from './preview.ts'
import { votesOf } from './voters.ts'

export interface MergeWish {
  mrId: string
  actorId: string
  squash: boolean
  /** Merges although the gate says no. The caller has checked that the person may; the reason is recorded. */
  bypassReason?: string
  /** Merges this head and no other; the one that stands there where absent. */
  headOid?: string
}

/** Merges an MR whose gate is open, by the plans that were judged. Errors: MR_BLOCKED names what is missing; MR_MOVED. */
export async function mergeRequested(parts: EngineParts, wish: MergeWish): Promise<MergeRequest> {
  let mr = await requireOpenMergeRequest(parts.store.db, wish.mrId, 'merging the merge request')
  const doing = `merging !${mr.number}`
  const { changes, merging } = await parts.forges.of(mr.repositoryId)
  // Who has approved what is read now, wherever it was said.
  await changes.readAgain(mr.id)
  mr = await requireOpenMergeRequest(parts.store.db, mr.id, doing)
  const git = repositoryOf(parts, mr.repositoryId)
  const [head, target] = await Promise.all([
    git.resolve(`refs/heads/${mr.sourceBranch}`),
    git.resolve(`refs/heads/${mr.targetBranch}`),
  ])
  if (head !== mr.headOid || target !== mr.targetOid || mr.previews === null) {
    // A branch moved and the notice is still on its way: look now, so that the answer is about what is merged.
    await previewMergeRequest(parts, mr.id)
    mr = await requireOpenMergeRequest(parts.store.db, wish.mrId, doing)
  }
  if (wish.headOid !== undefined && wish.headOid !== mr.headOid) {
    const why = `"${mr.sourceBranch}" has moved from ${wish.headOid.slice(0, 10)} to ${mr.headOid.slice(0, 10)}`
    throw new TrueupError('MR_MOVED', { doing, why, next: 'Look at the new commits and plans, then merge.' })
  }
  await readGroups(parts, mr, 0)
  // What may change is read first: a change between the two readings must not look like what was judged.
  const judged = await standing(parts.store.db, mr)
  const { outcome } = await judge(parts, mr)
  const bypassReason = wish.bypassReason?.trim() || null
  if (!outcome.mergeable && bypassReason === null) {
    const unmet = outcome.requirements.filter((requirement) => requirement.blocking && !requirement.satisfied)
    throw new TrueupError('MR_BLOCKED', {
      doing,
      why: unmet.map((requirement) => requirement.message).join('; '),
      next: unmet.map((requirement) => requirement.next).find((next) => next !== null) ?? undefined,
      details: {
        unmet: unmet.map(({ name, environment, message }) => ({ name, environment: environment ?? null, message })),
      },
    })
  }
  const how: MergeHow = {
    mrId: mr.id,
    headOid: mr.headOid,
    targetOid: mr.targetOid,
    method: wish.squash ? 'squash' : 'merge',
    actorId: wish.actorId,
    bypassReason: outcome.mergeable ? null : bypassReason,
    stillAsJudged: async (tx) => {
      const now = await getMergeRequest(tx, wish.mrId)
      return now !== undefined && (await standing(tx, now)) === judged
    },
  }
  return await parts.turns.take(turnOf(mr.id), () => merging.merge(how))
}

/** Follow-up work of a merge that was begun: settles it where Git or the store failed before it was through. */
export async function settleBegunMerge(parts: EngineParts, mrId: string): Promise<void> {
  const mr = await getMergeRequest(parts.store.db, mrId)
  if (mr?.state !== 'merging') return
  const { merging } = await parts.forges.of(mr.repositoryId)
  await parts.turns.take(turnOf(mrId), () => merging.settle(mrId))
}

/** At start-up: merges that a killed process had begun are finished where they came about, and taken back otherwise. */
export async function recoverMerges(parts: EngineParts): Promise<void> {
  const { items } = await listMergeRequests(parts.store.db, { states: ['merging'] }, { limit: 500 })
  for (const mr of items) if (parts.unusable.why(mr.repositoryId) === null) await settleBegunMerge(parts, mr.id)
}

/** Merging and settling of one MR take turns: what is still under way must not be taken for what broke off. */
const turnOf = (mrId: string): string => `merge:${mrId}`

/**
 * What the verdict of the gate hangs on and can change at any time: a plan made anew, an approval taken back, a person who
 * may not vote any more, somebody who turns out to have pushed the same commit.
 */
async function standing(db: Queries, mr: MergeRequest): Promise<string> {
  const { headOid, targetOid, draft, previews, lifted } = mr
  const reviews = await listReviews(db, mr.id)
  const people = await votesOf(db, mr.repositoryId, reviews)
  const votes = people.reviews.map(({ id, verdict, userId, barred = null }) => [
    id,
    verdict,
    barred,
    people.teamsOf(userId),
  ])
  const pushers = await pushersOf(db, mr.repositoryId, [headOid])
  return canonicalJson({ headOid, targetOid, draft, previews, lifted, votes, pushers } as unknown as Json)
}

/** Merges a rollback whose fast lane is open. Somebody else's merge or push in between only means: not now. */
export async function mergeByEngine(parts: EngineParts, mr: MergeRequest): Promise<void> {
  try {
    await mergeRequested(parts, { mrId: mr.id, actorId: mr.authorId, squash: false })
  } catch (error) {
    if (error instanceof TrueupError && ['MR_MOVED', 'MR_BLOCKED', 'CONFLICT'].includes(error.code)) return
    throw error
  }
}
