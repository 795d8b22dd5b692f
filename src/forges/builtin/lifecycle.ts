import { TrueupError } from '../../lib/errors/error.ts'
import { appendAudit } from '../../store/audit/audit.ts'
import { listMergeRequests, type MergeRequest, patchMergeRequest } from '../../store/changes/merge-requests.ts'
import { enqueueTask } from '../../store/runs/tasks.ts'
import { mustGetMr, mustGetOpenMr } from './find.ts'
import type { BuiltinParts } from './parts.ts'

export interface MrEdit {
  title?: string
  description?: string
  draft?: boolean
}

/** Changes what people wrote; plans and approvals are not touched by it. */
export async function editMergeRequest(
  parts: BuiltinParts,
  mrId: string,
  actorId: string,
  edit: MrEdit,
): Promise<MergeRequest> {
  const doing = 'editing the merge request'
  if (edit.title !== undefined && edit.title.trim() === '') {
    throw new TrueupError('INVALID_REQUEST', { doing, why: 'the title is empty' })
  }
  return await parts.store.transaction(async (tx) => {
    const mr = await mustGetOpenMr(tx, mrId, doing)
    const edited = await patchMergeRequest(tx, mr.id, edit)
    await appendAudit(tx, {
      actor: `user:${actorId}`,
      action: 'mr.edit',
      subject: mr.id,
      repositoryId: mr.repositoryId,
      data: { fields: Object.keys(edit) },
    })
    // Policies may ask for its title.
    await enqueueTask(tx, { kind: 'mr.evaluate', key: mr.id, payload: { mrId: mr.id } })
    return edited
  })
}

export async function closeMergeRequest(
  parts: BuiltinParts,
  mrId: string,
  actor: string,
  reason: string,
): Promise<MergeRequest> {
  return await parts.store.transaction(async (tx) => {
    const mr = await mustGetOpenMr(tx, mrId, 'closing the merge request')
    const closed = await patchMergeRequest(tx, mr.id, { state: 'closed' })
    await appendAudit(tx, {
      actor,
      action: 'mr.close',
      subject: mr.id,
      repositoryId: mr.repositoryId,
      data: { reason },
    })
    // Its previews are of no more use.
    await enqueueTask(tx, { kind: 'mr.preview', key: mr.id, payload: { mrId: mr.id } })
    return closed
  })
}

/** Swallows the refusal to close what somebody has merged or closed at this very moment. */
export function isOverAnyway(error: unknown): void {
  if (!(error instanceof TrueupError) || error.code !== 'CONFLICT') throw error
}

export async function reopenMergeRequest(parts: BuiltinParts, mrId: string, actor: string): Promise<MergeRequest> {
  const doing = 'reopening the merge request'
  const before = await mustGetMr(parts.store.db, mrId, doing)
  const git = parts.git.repository(before.repositoryId)
  const [headOid, targetOid] = await Promise.all([
    git.resolve(`refs/heads/${before.sourceBranch}`),
    git.resolve(`refs/heads/${before.targetBranch}`),
  ])
  if (headOid === null || targetOid === null) {
    const gone = headOid === null ? before.sourceBranch : before.targetBranch
    throw new TrueupError('NOT_FOUND', { doing, why: `the branch "${gone}" is gone`, next: 'Push it again.' })
  }
  if (await git.isAncestor(headOid, targetOid))
    throw new TrueupError('CONFLICT', {
      doing,
      why: `"${before.sourceBranch}" has no commit that "${before.targetBranch}" lacks`,
    })
  return await parts.store.transaction(async (tx) => {
    const mr = await mustGetMr(tx, mrId, doing)
    if (mr.state !== 'closed') throw new TrueupError('CONFLICT', { doing, why: `!${mr.number} is ${mr.state}` })
    const { repositoryId, sourceBranch, targetBranch } = mr
    const beside = { repositoryId, sourceBranch, targetBranch, states: ['open', 'merging'] as const }
    const [other] = (await listMergeRequests(tx, beside, { limit: 1 })).items
    if (other) {
      const why = `!${other.number} is open for the same branch`
      throw new TrueupError('CONFLICT', { doing, why, next: 'Go on there, or close it first.' })
    }
    // The head stays the one that was planned and reviewed: the preview that follows finds out what has moved meanwhile.
    const reopened = await patchMergeRequest(tx, mr.id, { state: 'open' })
    await appendAudit(tx, {
      actor,
      action: 'mr.reopen',
      subject: mr.id,
      repositoryId: mr.repositoryId,
      data: { headOid },
    })
    await enqueueTask(tx, { kind: 'mr.preview', key: mr.id, payload: { mrId: mr.id } })
    return reopened
  })
}
