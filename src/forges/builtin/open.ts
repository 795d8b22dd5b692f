import { TrueupError } from '../../lib/errors/error.ts'
import type { Json } from '../../lib/json.ts'
import { appendAudit } from '../../store/audit/audit.ts'
import { createMergeRequest, listMergeRequests, type MergeRequest } from '../../store/changes/merge-requests.ts'
import { takeMrNumber } from '../../store/changes/repositories.ts'
import { enqueueTask } from '../../store/runs/tasks.ts'
import type { NewChange } from '../forge.ts'
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
