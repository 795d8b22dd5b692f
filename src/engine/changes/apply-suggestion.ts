import { suggestionsIn, withSuggestion } from '../../domain/reviews/suggestion.ts'
import type { GitRepository, Person } from '../../git/repository.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import { type Comment, listComments } from '../../store/changes/comments.ts'
import { requireOpenMergeRequest } from '../../store/changes/merge-requests.ts'
import { getUser } from '../../store/people/users.ts'
import { type EngineParts, repositoryOf } from '../parts.ts'
import { assertHead, authorOf, moveSource, sourceTip, textAt } from './commit-to-source.ts'

export interface SuggestionOrder {
  mrId: string
  commentId: string
  /** Which one of the comment, from 0. */
  index: number
  userId: string
  /** Head that was looked at; whichever it is now where absent. */
  head?: string
}

/**
 * Commits a suggestion of a line comment to the source branch, and resolves its thread. What was pushed since the comment
 * stays: the change is merged into it as git merges. Errors: those of a commit, and CONFLICT where the lines are others now.
 */
export async function applySuggestion(parts: EngineParts, order: SuggestionOrder): Promise<string> {
  const doing = 'applying a suggestion'
  const mr = await requireOpenMergeRequest(parts.store.db, order.mrId, doing)
  const comments = await listComments(parts.store.db, mr.id)
  const comment = comments.find(({ id }) => id === order.commentId)
  if (!comment) throw new TrueupError('NOT_FOUND', { doing, why: `!${mr.number} has no comment ${order.commentId}` })
  const place = placeOf(comments, comment)
  const suggestion = suggestionsIn(comment.body)[order.index]
  if (!place || !suggestion) {
    const why = place ? `the comment has no suggestion ${order.index + 1}` : 'it is about no line of the new side'
    throw new TrueupError('INVALID_REQUEST', { doing, why, next: '`trueup mr comments` shows them.' })
  }
  const git = repositoryOf(parts, mr.repositoryId)
  const tip = await sourceTip(parts, mr, doing)
  if (order.head !== undefined) assertHead(mr, tip, order.head, doing)
  const text = await textAt(git, place.oid, place.path, doing)
  if (text === null) throw lost(place.path, doing)
  const author = await authorOf(parts, order.userId)
  const changed = { path: place.path, content: Buffer.from(withSuggestion(text, place.line, suggestion)) }
  const tree = await mergedTree(git, { base: place.oid, tip, author }, changed)
  if (tree === null) throw lost(place.path, doing)
  const suggester = comment.authorId === null ? null : await getUser(parts.store.db, comment.authorId)
  // Not as a co-author: who suggests has read the change, and may go on to approve it when another one has pushed it.
  const message = `Apply a suggestion to ${place.path}\n${suggester ? `\nSuggested-by: ${suggester.name}\n` : ''}`
  const commit = await git.commitTree({ tree, parents: [tip], message, author })
  await moveSource(parts, { mr, from: tip, to: commit, userId: order.userId, doing })
  const forge = await parts.forges.of(mr.repositoryId)
  await forge.comments.resolve({ mrId: mr.id, threadId: comment.threadId, userId: order.userId, resolved: true })
  return commit
}

interface Place {
  oid: string
  path: string
  line: number
}

/** Where a comment stands: an answer where its thread began. */
export function placeOf(comments: readonly Comment[], { threadId }: Comment): Place | null {
  const { oid, path, line, side } = comments.find(({ id }) => id === threadId) ?? {}
  return oid && path && line && side === 'new' ? { oid, path, line } : null
}

/**
 * The branch's tree with the change of one file in it, which was made on an earlier one; null where they conflict. Like a
 * revert it is merged by made-up history: after a rebase the earlier commit is no ancestor any more.
 */
async function mergedTree(
  git: GitRepository,
  { base, tip, author }: { base: string; tip: string; author: Person },
  { path, content }: { path: string; content: Buffer },
): Promise<string | null> {
  const message = 'suggestion\n'
  const mode = (await git.pathOids(base, [path])).get(path)?.mode === '100755' ? '100755' : '100644'
  const begin = await git.commitTree({ tree: (await git.commit(base)).tree, parents: [], message, author })
  const ours = await git.commitTree({ tree: (await git.commit(tip)).tree, parents: [begin], message, author })
  const theirs = await git.commitFiles({ parent: begin, message, author, files: [{ path, content, mode }] })
  const merged = await git.mergeTree(ours, theirs)
  return merged.clean ? merged.tree : null
}

const lost = (path: string, doing: string): TrueupError =>
  new TrueupError('CONFLICT', {
    doing,
    why: `the lines of ${JSON.stringify(path)} that it is about have changed since`,
    next: 'Make the change by hand, and resolve the thread.',
  })
