import { TrueupError } from '../../lib/errors/error.ts'
import type { Json } from '../../lib/json.ts'
import { appendAudit } from '../../store/audit/audit.ts'
import {
  createMergeRequest,
  listMergeRequests,
  type MergeRequest,
  patchMergeRequest,
  requireMergeRequest,
  requireOpenMergeRequest,
} from '../../store/changes/merge-requests.ts'
import { takeMrNumber } from '../../store/changes/repositories.ts'
import { enqueueTask } from '../../store/runs/tasks.ts'
import type { MrEdit, NewChange } from '../forge.ts'
import type { BuiltinParts } from './parts.ts'

/** Longest accepted title and description, characters. */
const MAX_TITLE = 250
const MAX_DESCRIPTION = 50_000

/**
 * Opens a merge request of a pushed branch. The same source and target give the MR that is open already, so a repeated
 * call after a lost answer does no harm. Errors: NOT_FOUND (branch), INVALID_REQUEST.
 */
export async function openMergeRequest(parts: BuiltinParts, change: NewChange): Promise<MergeRequest> {
  const doing = `opening a merge request of "${change.sourceBranch}"`
  const invalid = (why: string, next?: string): TrueupError =>
    new TrueupError('INVALID_REQUEST', { doing, why, ...(next !== undefined && { next }) })
  const title = change.title.trim()
  if (title === '') throw invalid('the title is empty')
  if (title.length > MAX_TITLE) throw invalid(`the title has more than ${MAX_TITLE} characters`)
  if (change.description.length > MAX_DESCRIPTION)
    throw invalid(`the description has more than ${MAX_DESCRIPTION} characters`)
  if (change.sourceBranch === change.targetBranch) throw invalid('source and target are the same branch')
  const git = parts.git.repository(change.repositoryId)
  const [headOid, targetOid] = await Promise.all([
    git.resolve(`refs/heads/${change.sourceBranch}`),
    git.resolve(`refs/heads/${change.targetBranch}`),
  ])
  const missing = headOid === null ? change.sourceBranch : targetOid === null ? change.targetBranch : null
  if (headOid === null || targetOid === null) {
    const next = `Push it: git push origin HEAD:refs/heads/${missing}`
    throw new TrueupError('NOT_FOUND', { doing, why: `there is no branch "${missing}"`, next })
  }
  if (await git.isAncestor(headOid, targetOid)) {
    throw invalid(
      `"${change.sourceBranch}" has no commit that "${change.targetBranch}" lacks`,
      'Commit something and push it.',
    )
  }
  return await parts.store.transaction(async (tx) => {
    const { items } = await listMergeRequests(
      tx,
      { repositoryId: change.repositoryId, sourceBranch: change.sourceBranch, states: ['open', 'merging'] },
      { limit: 100 },
    )
    const existing = items.find((mr) => mr.targetBranch === change.targetBranch)
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
    const mr = await requireMergeRequest(tx, mrId, doing)
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
