import { droppedReviews } from '../../domain/gates/dropped-reviews.ts'
import { renderMrComment } from '../../domain/render/markdown.ts'
import { appendAudit } from '../../store/audit/audit.ts'
import { getMergeRequest, type MergeRequest } from '../../store/changes/merge-requests.ts'
import { patchReview } from '../../store/changes/reviews.ts'
import { noteChange } from '../../store/open.ts'
import type { Plan } from '../../domain/plans/plan.ts'
import { type EngineParts, SYSTEM } from '../parts.ts'
import { isRollback } from '../rolled-back/judge.ts'
import { isPlanning, judge, type Judgement } from './gate.ts'
import { FOR_A_LOOK_MS, readGroups } from './groups.ts'
import { mergeByEngine } from './merge.ts'
import { statusesOf } from './statuses.ts'

/** Marks the one comment of Trueup on an MR that shows its plans. */
export const PLAN_COMMENT = 'plan'

/**
 * Judges an MR anew after something that matters to it: takes back approvals whose plan has changed, updates the plan
 * comment in place, and merges what is on the fast lane.
 */
export async function evaluateMergeRequest(parts: EngineParts, mrId: string): Promise<void> {
  const mr = await getMergeRequest(parts.store.db, mrId)
  if (!mr || mr.state !== 'open') return
  await readGroups(parts, mr, FOR_A_LOOK_MS)
  const judgement = await judge(parts, mr)
  const planning = isPlanning(judgement.stacks)
  const dropped = !planning && (await dropStaleReviews(parts, mr, judgement))
  const settled = dropped ? await judge(parts, mr) : judgement
  const forge = await parts.forges.of(mr.repositoryId)
  const { digests, files } = settled
  await forge.comments.upsert(mr.id, PLAN_COMMENT, commentOf(mr, settled), { headOid: mr.headOid, digests, files })
  if (forge.can.statuses === true)
    for (const status of statusesOf(settled, planning)) await forge.statuses.set(mr.id, mr.headOid, status)
  await parts.store.transaction(async (tx) => noteChange(tx, { topic: 'mr', id: mr.id, repositoryId: mr.repositoryId }))
  if (!planning && isRollback(mr) && !mr.draft && settled.outcome.mergeable) await mergeByEngine(parts, mr)
}

/** @returns whether there was one */
async function dropStaleReviews(parts: EngineParts, mr: MergeRequest, judgement: Judgement): Promise<boolean> {
  const standing = judgement.reviews
    .filter((review) => review.droppedAt === null && review.verdict === 'approve')
    .map((review) => ({
      ...review,
      userName: '',
      at: review.createdAt,
      digests: review.digests as { [key: string]: string },
      files: review.files ?? {},
    }))
  const dropped = droppedReviews(standing, judgement.digests).filter((drop) => !drop.partly)
  if (dropped.length === 0) return false
  await parts.store.transaction(async (tx) => {
    for (const { review, why, stacks } of dropped) {
      await patchReview(tx, review.id!, { droppedAt: parts.store.clock.now(), droppedReason: why })
      const data = { reviewId: review.id!, userId: review.userId, stacks, why }
      await appendAudit(tx, {
        actor: SYSTEM,
        action: 'mr.approval_dropped',
        subject: mr.id,
        repositoryId: mr.repositoryId,
        data,
      })
    }
  })
  return true
}

function commentOf(mr: MergeRequest, judgement: Judgement): string {
  return renderMrComment({
    headOid: mr.headOid,
    gate: judgement.outcome,
    plannable: mr.problems === null && mr.conflicts === null,
    stacks: judgement.stacks.map(({ environment, name, driver, preview, run, policies }) => ({
      environment,
      name,
      driver,
      preview: run
        ? { state: run.state, message: run.error ? `${run.error.doing}: ${run.error.why}` : run.message }
        : { state: preview.settled ? 'succeeded' : 'queued', message: preview.note },
      plan: (run?.plan as Plan | null) ?? null,
      provisional: preview.provisional,
      policies,
      checks: (run?.checks ?? []) as { name: string; ok: boolean; output?: string }[],
    })),
  })
}
