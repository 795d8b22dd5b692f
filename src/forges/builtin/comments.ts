import { TrueupError } from '../../lib/errors/error.ts'
import { appendAudit } from '../../store/audit/audit.ts'
import { type Comment, createComment, listComments, patchComment } from '../../store/changes/comments.ts'
import { requireMergeRequest } from '../../store/changes/merge-requests.ts'
import { noteChange } from '../../store/open.ts'
import { enqueueTask } from '../../store/runs/tasks.ts'
import type { NewComment, ThreadState } from '../forge.ts'
import type { BuiltinParts } from './parts.ts'

const MAX_BODY = 65_536

/** Adds a comment, a line comment or an answer. Errors: NOT_FOUND (thread), INVALID_REQUEST. */
export async function addComment(parts: BuiltinParts, comment: NewComment): Promise<Comment> {
  const doing = 'commenting on the merge request'
  const body = comment.body.trim()
  if (body === '') throw new TrueupError('INVALID_REQUEST', { doing, why: 'the comment is empty' })
  if (body.length > MAX_BODY)
    throw new TrueupError('TOO_LARGE', { doing, why: `the comment has more than ${MAX_BODY} characters` })
  if ((comment.path === undefined) !== (comment.line === undefined)) {
    throw new TrueupError('INVALID_REQUEST', { doing, why: 'a line comment needs both a path and a line' })
  }
  return await parts.store.transaction(async (tx) => {
    const mr = await requireMergeRequest(tx, comment.mrId, doing)
    if (comment.threadId !== undefined) {
      const thread = (await listComments(tx, mr.id)).find((existing) => existing.id === comment.threadId)
      // Threads do not branch: an answer belongs to the comment that began it.
      if (thread?.threadId !== comment.threadId)
        throw new TrueupError('NOT_FOUND', { doing, why: `!${mr.number} has no thread ${comment.threadId}` })
    }
    const added = await createComment(tx, {
      mrId: mr.id,
      threadId: comment.threadId ?? null,
      authorId: comment.authorId,
      body,
      path: comment.path ?? null,
      line: comment.line ?? null,
      side: comment.path === undefined ? null : (comment.side ?? 'new'),
      oid: comment.path === undefined ? null : mr.headOid,
    })
    await appendAudit(tx, {
      actor: `user:${comment.authorId}`,
      action: 'mr.comment',
      subject: mr.id,
      repositoryId: mr.repositoryId,
      data: { commentId: added.id },
    })
    if (added.path !== null) await enqueueTask(tx, { kind: 'mr.evaluate', key: mr.id, payload: { mrId: mr.id } })
    noteChange(tx, { topic: 'mr', id: mr.id, repositoryId: mr.repositoryId })
    return added
  })
}

/** Marks a thread resolved, or open again. */
export async function resolveThread(
  parts: BuiltinParts,
  { mrId, threadId, userId, resolved }: ThreadState,
): Promise<void> {
  await parts.store.transaction(async (tx) => {
    const doing = 'resolving a thread'
    const mr = await requireMergeRequest(tx, mrId, doing)
    const thread = (await listComments(tx, mrId)).find(
      (comment) => comment.id === threadId && comment.threadId === threadId,
    )
    if (!thread) throw new TrueupError('NOT_FOUND', { doing, why: `!${mr.number} has no thread ${threadId}` })
    const now = parts.store.clock.now()
    await patchComment(tx, threadId, { resolvedById: resolved ? userId : null, resolvedAt: resolved ? now : null })
    await enqueueTask(tx, { kind: 'mr.evaluate', key: mr.id, payload: { mrId: mr.id } })
    noteChange(tx, { topic: 'mr', id: mr.id, repositoryId: mr.repositoryId })
  })
}

/** Creates or replaces Trueup's own comment with this marker; one of each kind per MR. */
export async function upsertMarkedComment(
  parts: BuiltinParts,
  mrId: string,
  marker: string,
  body: string,
): Promise<void> {
  await parts.store.transaction(async (tx) => {
    const mr = await requireMergeRequest(tx, mrId, 'commenting the plan')
    const existing = (await listComments(tx, mrId)).find((comment) => comment.marker === marker)
    if (existing?.body === body) return
    if (existing) await patchComment(tx, existing.id, { body })
    else
      await createComment(tx, {
        mrId,
        threadId: null,
        authorId: null,
        body,
        marker,
        path: null,
        line: null,
        side: null,
        oid: null,
      })
    noteChange(tx, { topic: 'mr', id: mr.id, repositoryId: mr.repositoryId })
  })
}
