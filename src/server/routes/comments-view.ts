import { replacedLines, suggestionsIn } from '../../domain/reviews/suggestion.ts'
import { placeOf } from '../../engine/changes/apply-suggestion.ts'
import { textAt } from '../../engine/changes/commit-to-source.ts'
import { type EngineParts, repositoryOf } from '../../engine/parts.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import type { Comment as Row } from '../../store/changes/comments.ts'
import type { MergeRequest } from '../../store/changes/merge-requests.ts'
import type { Comment } from '../schemas/merge-requests.ts'
import type { Suggestion } from '../schemas/mr-edits.ts'
import { namesOf } from './names.ts'

/** A conversation as the API shows it; `rows` are all comments of the merge request. */
export async function showComments(parts: EngineParts, mr: MergeRequest, rows: readonly Row[]): Promise<Comment[]> {
  const names = await namesOf(parts, {
    users: rows.flatMap(({ authorId, resolvedById }) => [authorId, resolvedById]),
  })
  return await Promise.all(
    rows.map(async (row) => {
      const { id, threadId, body, path, line, side, resolvedAt, createdAt, updatedAt } = row
      return {
        id,
        threadId,
        author: row.authorId === null ? null : names.user(row.authorId),
        body,
        path,
        line,
        side,
        suggestions: await suggestionsOf(parts, mr, rows, row),
        resolvedBy: row.resolvedById === null ? null : names.user(row.resolvedById),
        resolvedAt,
        createdAt,
        updatedAt,
      }
    }),
  )
}

/** None where it is about no line, or where what it is about cannot be read any more: then it is only words. */
async function suggestionsOf(
  parts: EngineParts,
  mr: MergeRequest,
  rows: readonly Row[],
  row: Row,
): Promise<Suggestion[]> {
  const found = suggestionsIn(row.body)
  const place = found.length === 0 ? null : placeOf(rows, row)
  if (place === null) return []
  const git = repositoryOf(parts, mr.repositoryId)
  const text = await textAt(git, place.oid, place.path, 'reading what a suggestion is about').catch(unlessBroken)
  if (text === null) return []
  return found.map((suggestion) => ({
    line: Math.max(place.line - suggestion.above, 1),
    before: replacedLines(text, place.line, suggestion),
    after: suggestion.text,
  }))
}

const WORDS_ONLY = new Set(['INVALID_REQUEST', 'TOO_LARGE', 'PATH_OUTSIDE', 'GIT_OBJECT_MISSING'])
function unlessBroken(error: unknown): null {
  if (error instanceof TrueupError && WORDS_ONLY.has(error.code)) return null
  throw error
}
