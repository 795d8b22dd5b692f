import { z } from 'zod'
import { assertHead } from '../../engine/changes/commit-to-source.ts'
import { listComments } from '../../store/changes/comments.ts'
import { principalOf, repositoryOf } from '../auth/enforce.ts'
import type { RouteModule } from '../parts.ts'
import { Done } from '../schemas/common.ts'
import { Comment, NewComment } from '../schemas/merge-requests.ts'
import { MrParams } from './merge-requests.ts'
import { showComments } from './comments-view.ts'
import { mrOf } from './mr-view.ts'

const PATH = '/api/v1/repositories/:repository/merge-requests/:number/comments'

export const mrCommentRoutes: RouteModule<'engine'> = (app, { engine }) => {
  const { parts } = engine
  const tags = ['merge requests']

  app.get(
    PATH,
    {
      config: { action: 'mr.read' },
      schema: {
        tags,
        summary: 'The conversation, oldest first',
        params: MrParams,
        response: { 200: z.object({ items: z.array(Comment) }) },
      },
    },
    async (request) => {
      const mr = await mrOf(parts, repositoryOf(request), request.params.number)
      return { items: await showComments(parts, mr, await listComments(parts.store.db, mr.id)) }
    },
  )

  app.post(
    PATH,
    {
      config: { action: 'mr.comment' },
      schema: {
        tags,
        summary: 'Comment, comment a line, or answer a thread',
        params: MrParams,
        body: NewComment,
        response: { 201: Comment },
      },
    },
    async (request, reply) => {
      const mr = await mrOf(parts, repositoryOf(request), request.params.number)
      const { head, ...body } = request.body
      if (head !== undefined) assertHead(mr, mr.headOid, head, 'commenting a line')
      const forge = await parts.forges.of(mr.repositoryId)
      const { id } = await forge.comments.add({ mrId: mr.id, authorId: principalOf(request).userId, ...body })
      const shown = await showComments(parts, mr, await listComments(parts.store.db, mr.id))
      return reply.code(201).send(shown.find((comment) => comment.id === id)!)
    },
  )

  app.put(
    `${PATH}/:thread/resolved`,
    {
      config: { action: 'mr.comment' },
      schema: {
        tags,
        summary: 'Resolve a thread, or open it again',
        params: MrParams.extend({ thread: z.string().max(100) }),
        body: z.strictObject({ resolved: z.boolean() }),
        response: { 200: Done },
      },
    },
    async (request) => {
      const mr = await mrOf(parts, repositoryOf(request), request.params.number)
      const { resolved } = request.body
      const forge = await parts.forges.of(mr.repositoryId)
      await forge.comments.resolve({
        mrId: mr.id,
        threadId: request.params.thread,
        userId: principalOf(request).userId,
        resolved,
      })
      return { ok: true as const }
    },
  )
}
