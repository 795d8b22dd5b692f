import { z } from 'zod'
import { postNotice, takeNoticeDown } from '../../engine/notices.ts'
import { principalOf, repositoryOf } from '../auth/enforce.ts'
import type { RouteModule } from '../parts.ts'
import { InRepository } from '../schemas/common.ts'
import { Notice, NoticeOrder } from '../schemas/environments.ts'
import { showNotice } from './environment-view.ts'

const LIST = '/api/v1/repositories/:repository/environments/:environment/notices'
const InEnvironment = InRepository.extend({ environment: z.string().max(63) })

/** What people are to know of an environment. */
export const noticeRoutes: RouteModule<'engine'> = (app, { engine: { parts } }) => {
  const tags = ['environments']

  app.post(
    LIST,
    {
      config: { action: 'environment.notice' },
      schema: {
        tags,
        summary: 'Say something about it to everybody who looks at it; nothing is stopped',
        params: InEnvironment,
        body: NoticeOrder,
        response: { 201: Notice },
      },
    },
    async (request, reply) => {
      const { until = null, ...rest } = request.body
      const notice = await postNotice(parts, {
        ...rest,
        until,
        repositoryId: repositoryOf(request).id,
        environment: request.params.environment,
        actorId: principalOf(request).userId,
      })
      return reply.code(201).send(await showNotice(parts, notice))
    },
  )

  app.delete(
    `${LIST}/:notice`,
    {
      config: { action: 'environment.notice' },
      schema: {
        tags,
        summary: 'Withdraw a notice',
        params: InEnvironment.extend({ notice: z.string().max(100) }),
        response: { 200: Notice },
      },
    },
    async (request) => {
      const { environment, notice: noticeId } = request.params
      const repositoryId = repositoryOf(request).id
      const actorId = principalOf(request).userId
      return showNotice(parts, await takeNoticeDown(parts, { repositoryId, environment, noticeId, actorId }))
    },
  )
}
