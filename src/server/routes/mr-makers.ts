import { liftName } from '../../engine/merge-requests/lift.ts'
import { principalOf, repositoryOf } from '../auth/enforce.ts'
import type { RouteModule } from '../parts.ts'
import { MrDetail, NameLift } from '../schemas/merge-requests.ts'
import { MrParams } from './merge-requests.ts'
import { mrOf, showDetail } from './mr-view.ts'

/** Whose part in a merge request is only their name in its commits. */
export const mrMakerRoutes: RouteModule<'engine'> = (app, { engine }) => {
  app.post(
    '/api/v1/repositories/:repository/merge-requests/:number/lifts',
    {
      config: { action: 'mr.lift' },
      schema: {
        tags: ['merge requests'],
        summary: 'Let a person vote whom its commits only name; holds for these commits',
        params: MrParams,
        body: NameLift,
        response: { 201: MrDetail },
      },
    },
    async (request, reply) => {
      const repository = repositoryOf(request)
      const mr = await mrOf(engine.parts, repository, request.params.number)
      const actorId = principalOf(request).userId
      const changed = await liftName(engine.parts, { mr, actorId, ...request.body })
      return reply.code(201).send(await showDetail(engine.parts, repository.name, changed))
    },
  )
}
