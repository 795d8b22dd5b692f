import { TrueupError } from '../../lib/errors/error.ts'
import { appendAudit } from '../../store/audit/audit.ts'
import { type MergeRequest, patchMergeRequest, requireMergeRequest } from '../../store/changes/merge-requests.ts'
import { setRef } from '../../store/changes/refs.ts'
import { getRepository, takeMergeSequence } from '../../store/changes/repositories.ts'
import type { Store } from '../../store/open.ts'
import { enqueueTask } from '../../store/runs/tasks.ts'

/** What a forge says of a merge that came about. */
export interface MergeFact {
  mergeOid: string
  /** Null where the forge does not say who. */
  mergedById: string | null
  /** States that it may come from; CONFLICT in another one but `merged`. */
  from: readonly MergeRequest['state'][]
  /** This call tells what has become of the target branch; false where ref sync finds that out. */
  movesTarget: boolean
}

/** Records a merge, gives it the next sequence and orders what follows. One that is recorded already is left as it is. */
export async function recordMerge(store: Store, mrId: string, fact: MergeFact): Promise<MergeRequest> {
  return await store.transaction(async (tx) => {
    const doing = 'recording a merge'
    const mr = await requireMergeRequest(tx, mrId, doing)
    if (mr.state === 'merged') return mr
    if (!fact.from.includes(mr.state)) throw new TrueupError('CONFLICT', { doing, why: `!${mr.number} is ${mr.state}` })
    const { mergeOid, mergedById } = fact
    const mergeSequence = await takeMergeSequence(tx, mr.repositoryId)
    const mergedAt = store.clock.now()
    const merged = await patchMergeRequest(tx, mr.id, {
      state: 'merged',
      mergeOid,
      mergedById,
      mergeSequence,
      mergedAt,
    })
    if (fact.movesTarget) await setRef(tx, mr.repositoryId, `refs/heads/${mr.targetBranch}`, mergeOid)
    await appendAudit(tx, {
      actor: mergedById === null ? 'system' : `user:${mergedById}`,
      action: mr.bypassReason === null ? 'mr.merge' : 'mr.merge_bypassed',
      subject: mr.id,
      repositoryId: mr.repositoryId,
      data: { number: mr.number, mergeOid, mergeSequence, bypassReason: mr.bypassReason },
    })
    const repository = await getRepository(tx, mr.repositoryId)
    if (repository?.defaultBranch === mr.targetBranch) {
      await enqueueTask(tx, { kind: 'deploy', key: mr.repositoryId, payload: { repositoryId: mr.repositoryId } })
    }
    await enqueueTask(tx, {
      kind: 'branch.moved',
      key: `${mr.repositoryId}:${mr.targetBranch}`,
      payload: { repositoryId: mr.repositoryId, branch: mr.targetBranch },
    })
    return merged
  })
}

/** Takes a begun merge back that did not come about. */
export async function undoMerge(store: Store, mr: MergeRequest): Promise<void> {
  await store.transaction(async (tx) => {
    await patchMergeRequest(tx, mr.id, { state: 'open', mergeOid: null, mergedById: null, bypassReason: null })
    await appendAudit(tx, {
      actor: 'system',
      action: 'mr.merge_undone',
      subject: mr.id,
      repositoryId: mr.repositoryId,
    })
    await enqueueTask(tx, { kind: 'mr.preview', key: mr.id, payload: { mrId: mr.id } })
  })
}

/** The refusal of a merge whose branches are not those that were judged. */
export const movedSince = (mr: MergeRequest): TrueupError =>
  new TrueupError('MR_MOVED', {
    doing: `merging !${mr.number}`,
    why: `"${mr.sourceBranch}" or "${mr.targetBranch}" has moved since its plans were made`,
    next: 'Wait for the new plans and merge again.',
  })

/** The refusal of a merge whose plans or reviews are not those that were judged. */
export const overtaken = (mr: MergeRequest): TrueupError =>
  new TrueupError('MR_MOVED', {
    doing: `merging !${mr.number}`,
    why: 'a plan or a review of it has changed in this very moment',
    next: 'Look at it again and merge again.',
  })

/** The refusal of a merge that Git cannot make. */
export function conflicting(doing: string, targetBranch: string, conflicts: readonly string[]): TrueupError {
  const why = `${conflicts.length} files conflict with ${targetBranch}: ${conflicts.slice(0, 5).join(', ')}`
  return new TrueupError('MR_CONFLICT', { doing, why, details: { conflicts: conflicts.slice(0, 100) } })
}
