import { TrueupError } from '../../lib/errors/error.ts'
import { appendAudit } from '../../store/audit/audit.ts'
import { getMergeRequest, type MergeRequest, patchMergeRequest } from '../../store/changes/merge-requests.ts'
import type { Run } from '../../store/runs/runs.ts'
import { type EngineParts, repositoryOf, SYSTEM } from '../parts.ts'
import { orderEvaluation, orderPreview } from '../run-tasks.ts'
import { lastReadable } from '../revisions/readable.ts'
import { liftOfClosed, quarantineFor } from '../rolled-back/quarantine.ts'
import { dropPreviews, type DropReason } from './drop-previews.ts'
import { heldFork } from './forks.ts'
import { mergeResult } from './merge-result.ts'
import { openMergeRequests } from './open.ts'
import { orderPreviews } from './order-previews.ts'
import { type PreviewRefs, previewsToJson } from './previews.ts'

/**
 * Brings an MR's plans up to date: computes the merge result, finds the affected stacks, keeps every plan that is still
 * of the same desired and deployed state, orders the missing ones and takes back the rest. Ordered by every event that
 * may matter (push, target moved, a preview ended, a deployment); finds out itself that nothing is to be done.
 * `anew`: ended plans that are made again although nothing has changed for them.
 */
export async function previewMergeRequest(
  parts: EngineParts,
  mrId: string,
  anew: (run: Run) => boolean = () => false,
): Promise<void> {
  await parts.turns.take(`preview:${mrId}`, async () => {
    const mr = await getMergeRequest(parts.store.db, mrId)
    if (!mr) return
    if (mr.origin === 'rollback')
      await (mr.state === 'closed' ? liftOfClosed(parts, mr.id) : quarantineFor(parts, mr.id))
    const found = mr.state === 'open' ? await previewsNow(parts, mr, anew) : null
    const kept = found && (await store(parts, mr, found)) ? found.previews : {}
    // What was merged keeps its plans; what is still under way there is of no more use.
    const dropped = await dropPreviews(parts, mr.id, kept, await reasonOf(parts, mr.id))
    if (dropped > 0 && Object.values(kept).some(({ held }) => held === 'turn'))
      await parts.store.transaction((tx) => orderPreview(tx, mr.id))
  })
}

/** As it is now: it may have been closed while its plans were looked for. */
async function reasonOf(parts: EngineParts, mrId: string): Promise<DropReason> {
  const state = (await getMergeRequest(parts.store.db, mrId))?.state
  return state === 'open' ? 'newer_preview' : state === 'closed' ? 'mr_closed' : 'mr_merged'
}

/** Orders a look at every open MR of a repository. */
export async function previewAll(parts: EngineParts, repositoryId: string): Promise<void> {
  for await (const mr of openMergeRequests(parts.store.db, { repositoryId })) {
    await parts.store.transaction((tx) => orderPreview(tx, mr.id))
  }
}

/** Ended without a plan: what somebody who asks for another try means. */
export const hasNoPlan = (run: Run): boolean => run.state === 'failed' || run.state === 'canceled'

interface Found {
  previews: PreviewRefs
  patch: Pick<MergeRequest, 'headOid' | 'targetOid' | 'mergeTreeOid' | 'conflicts' | 'problems'>
}

const FAULTS_OF_BRANCHES: readonly string[] = [
  'MR_CONFLICT',
  'TOO_LARGE',
  'PATH_OUTSIDE',
  'CONFIG_INVALID',
  'CONFIG_LIMIT',
]

/** Null where a branch is gone or the target has it all: then there is nothing to plan. */
async function previewsNow(parts: EngineParts, mr: MergeRequest, anew: (run: Run) => boolean): Promise<Found | null> {
  const git = repositoryOf(parts, mr.repositoryId)
  const [headOid, targetOid] = await Promise.all([
    git.resolve(`refs/heads/${mr.sourceBranch}`),
    git.resolve(`refs/heads/${mr.targetBranch}`),
  ])
  if (headOid === null || targetOid === null) return null
  const heads = { headOid, targetOid }
  const held = await heldFork(parts.store.db, mr, headOid)
  if (held) return { previews: {}, patch: { ...heads, mergeTreeOid: null, conflicts: null, problems: [held] } }
  try {
    return await planHeads(parts, mr, heads, anew)
  } catch (error) {
    // What is wrong with the branches themselves is for people: trying again would change nothing, and say nothing.
    if (!(error instanceof TrueupError) || !FAULTS_OF_BRANCHES.includes(error.code)) throw error
    return { previews: {}, patch: { ...heads, mergeTreeOid: null, conflicts: null, problems: [error.toJSON()] } }
  }
}

async function planHeads(
  parts: EngineParts,
  mr: MergeRequest,
  heads: { headOid: string; targetOid: string },
  anew: (run: Run) => boolean,
): Promise<Found | null> {
  const { headOid, targetOid } = heads
  const git = repositoryOf(parts, mr.repositoryId)
  const result = await mergeResult(git, mr.number, targetOid, headOid)
  if (!result.clean) {
    const { conflicts } = result
    return { previews: {}, patch: { ...heads, mergeTreeOid: null, conflicts, problems: null } }
  }
  if (result.treeOid === (await git.commit(targetOid)).tree && (await git.isAncestor(headOid, targetOid))) {
    const reason = `"${mr.targetBranch}" has all of its commits already`
    const { changes } = await parts.forges.of(mr.repositoryId)
    await changes.endAsPointless(mr.id, reason)
    return null
  }
  const target = { repositoryId: mr.repositoryId, branch: mr.targetBranch }
  const { snapshot: before } = await lastReadable(parts, target, targetOid)
  const after = await parts.snapshots.of(mr.repositoryId, git, result.treeOid)
  // The row still has the head that was planned before: what that one was allowed says nothing of this one.
  const previews = await orderPreviews(parts, { ...mr, ...heads }, { before, after, commitOid: result.commitOid, anew })
  const problems = after.problems.length > 0 ? after.problems : null
  return { previews, patch: { ...heads, mergeTreeOid: result.treeOid, conflicts: null, problems } }
}

/** False when the MR is no longer open: what it was merged with must stay as it was judged. */
async function store(parts: EngineParts, mr: MergeRequest, { previews, patch }: Found): Promise<boolean> {
  return await parts.store.transaction(async (tx) => {
    const current = await getMergeRequest(tx, mr.id)
    if (current?.state !== 'open') return false
    await patchMergeRequest(tx, mr.id, { ...patch, previews: previewsToJson(previews) })
    if (current.headOid !== patch.headOid) {
      const data = { number: mr.number, from: current.headOid, to: patch.headOid }
      await appendAudit(tx, { actor: SYSTEM, action: 'mr.head', subject: mr.id, repositoryId: mr.repositoryId, data })
    }
    await orderEvaluation(tx, mr.id)
    return true
  })
}
