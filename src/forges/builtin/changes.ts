import { TrueupError } from '../../lib/errors/error.ts'
import type { Json } from '../../lib/json.ts'
import { appendAudit } from '../../store/audit/audit.ts'
import {
  createMergeRequest,
  type MergeRequest,
  patchMergeRequest,
  requireMergeRequest,
  requireOpenMergeRequest,
} from '../../store/changes/merge-requests.ts'
import { takeMrNumber } from '../../store/changes/repositories.ts'
import { enqueueTask } from '../../store/runs/tasks.ts'
import type { MrEdit, NewChange } from '../forge.ts'
import { openBeside, toOpen, toReopen } from '../rows/opening.ts'
import type { BuiltinParts } from './parts.ts'

/**
 * Opens a merge request of a pushed branch. The same source and target give the MR that is open already, so a repeated
 * call after a lost answer does no harm. Errors: NOT_FOUND (branch), INVALID_REQUEST.
 */
export async function openMergeRequest(parts: BuiltinParts, change: NewChange): Promise<MergeRequest> {
  const { title, headOid, targetOid } = await toOpen(parts.git.repository(change.repositoryId), change)
  return await parts.store.transaction(async (tx) => {
    const existing = await openBeside(tx, change)
    if (existing) return existing
    const mr = await createMergeRequest(tx, {
      repositoryId: change.repositoryId,
      number: await takeMrNumber(tx, change.repositoryId),
      title,
      description: change.description,
      sourceBranch: change.sourceBranch,
      targetBranch: change.targetBranch,
      headOid,
      targetOid,
      authorId: change.authorId,
      draft: change.draft ?? false,
      origin: change.origin?.kind ?? null,
      originDetail: (change.origin?.detail ?? null) as Json,
    })
    await appendAudit(tx, {
      actor: `user:${change.authorId}`,
      action: 'mr.open',
      subject: mr.id,
      repositoryId: mr.repositoryId,
      data: { number: mr.number, title, sourceBranch: mr.sourceBranch, targetBranch: mr.targetBranch, headOid },
    })
    await enqueueTask(tx, { kind: 'mr.preview', key: mr.id, payload: { mrId: mr.id } })
    return mr
  })
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
    const mr = await requireOpenMergeRequest(tx, mrId, doing)
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
    const mr = await requireOpenMergeRequest(tx, mrId, 'closing the merge request')
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

/** Where somebody has merged or closed it at this very moment there is nothing to do. */
export async function endAsPointless(parts: BuiltinParts, mrId: string, reason: string): Promise<void> {
  await closeMergeRequest(parts, mrId, 'system', reason).catch((error: unknown) => {
    if (!(error instanceof TrueupError) || error.code !== 'CONFLICT') throw error
  })
}

export async function reopenMergeRequest(parts: BuiltinParts, mrId: string, actor: string): Promise<MergeRequest> {
  const doing = 'reopening the merge request'
  const before = await requireMergeRequest(parts.store.db, mrId, doing)
  const { headOid } = await toReopen(parts.git.repository(before.repositoryId), before)
  return await parts.store.transaction(async (tx) => {
    const mr = await requireMergeRequest(tx, mrId, doing)
    if (mr.state !== 'closed') throw new TrueupError('CONFLICT', { doing, why: `!${mr.number} is ${mr.state}` })
    const other = await openBeside(tx, mr)
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
