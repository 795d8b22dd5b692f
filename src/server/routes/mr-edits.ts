import { z } from 'zod'
import { applySuggestion } from '../../engine/changes/apply-suggestion.ts'
import { commitToSource, sourceTip, textAt } from '../../engine/changes/commit-to-source.ts'
import { repositoryOf as gitOf } from '../../engine/parts.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import { principalOf, repositoryOf } from '../auth/enforce.ts'
import type { RouteModule } from '../parts.ts'
import { Committed, NewCommit, SourceFile, SuggestionOrder } from '../schemas/mr-edits.ts'
import { MrParams } from './merge-requests.ts'
import { mrOf } from './mr-view.ts'

const ONE = '/api/v1/repositories/:repository/merge-requests/:number'
/** The largest file as JSON, where every second byte of it needs an escape. */
const BODY_BYTES = 4 * 1024 * 1024

/** Changes of a merge request without a clone: what a push would bring, by the rules of a push. */
export const mrEditRoutes: RouteModule<'engine'> = (app, { engine: { parts } }) => {
  const tags = ['merge requests']

  app.get(
    `${ONE}/file`,
    {
      config: { action: 'git.read' },
      schema: {
        tags,
        summary: 'The text of a file at the tip of its source branch',
        params: MrParams,
        querystring: z.strictObject({ path: z.string().min(1).max(4_096) }),
        response: { 200: SourceFile },
      },
    },
    async (request) => {
      const { path } = request.query
      const mr = await mrOf(parts, repositoryOf(request), request.params.number)
      const doing = `reading ${JSON.stringify(path)} of !${mr.number}`
      const head = await sourceTip(parts, mr, doing)
      const content = await textAt(gitOf(parts, mr.repositoryId), head, path, doing)
      if (content !== null) return { path, head, content }
      throw new TrueupError('NOT_FOUND', { doing, why: `${mr.sourceBranch} has no such file` })
    },
  )

  app.post(
    `${ONE}/commits`,
    {
      config: { action: 'git.push' },
      bodyLimit: BODY_BYTES,
      schema: {
        tags,
        summary: 'Commit whole files to its source branch, as a push would bring them',
        params: MrParams,
        body: NewCommit,
        response: { 201: Committed },
      },
    },
    async (request, reply) => {
      const mr = await mrOf(parts, repositoryOf(request), request.params.number)
      const { head, files, message } = request.body
      const commit = await commitToSource(parts, {
        mrId: mr.id,
        userId: principalOf(request).userId,
        head,
        files,
        message: `${message || `Change ${files.map(({ path }) => path).join(', ')}`}\n`,
      })
      return reply.code(201).send({ commit })
    },
  )

  app.post(
    `${ONE}/comments/:comment/apply`,
    {
      config: { action: 'git.push' },
      schema: {
        tags,
        summary: 'Commit a suggestion of a line comment to its source branch, and resolve the thread',
        params: MrParams.extend({ comment: z.string().max(100) }),
        body: SuggestionOrder,
        response: { 201: Committed },
      },
    },
    async (request, reply) => {
      const mr = await mrOf(parts, repositoryOf(request), request.params.number)
      const { suggestion, head } = request.body
      const commit = await applySuggestion(parts, {
        mrId: mr.id,
        commentId: request.params.comment,
        index: suggestion,
        userId: principalOf(request).userId,
        ...(head !== undefined && { head }),
      })
      return reply.code(201).send({ commit })
    },
  )
}
