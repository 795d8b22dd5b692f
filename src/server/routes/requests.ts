import { requestRun } from '../../engine/stacks/request-run.ts'
import { principalOf, repositoryOf } from '../auth/enforce.ts'
import { environmentOf, requireStepUp } from '../auth/step-up.ts'
import type { RouteModule } from '../parts.ts'
import { InRepository } from '../schemas/common.ts'
import { RunSummary } from '../schemas/plans.ts'
import { RequestOrder } from '../schemas/stacks.ts'
import { showRun } from './run-view.ts'
import { stackOf } from './stack-view.ts'

/** Runs that people ask for beside Git, with a reason: of some resources, with some made anew, or of the state alone. */
export const requestRoutes: RouteModule<'engine'> = (app, { engine: { parts } }) => {
  app.post(
    '/api/v1/repositories/:repository/stack/requests',
    {
      config: { action: 'stack.deploy' },
      schema: {
        tags: ['stacks'],
        summary: 'Apply what is deployed to some resources only, make some anew, or edit the state of the tool',
        params: InRepository,
        body: RequestOrder,
        response: { 201: RunSummary },
      },
    },
    async (request, reply) => {
      const { stack, request: asked, reason } = request.body
      await requireStepUp(parts, request, [environmentOf(stack)])
      const { id: stackId } = await stackOf(parts, repositoryOf(request), stack)
      const { userId } = principalOf(request)
      const run = await requestRun(parts, { stackId, request: asked, reason, actorId: userId })
      return reply.code(201).send(await showRun(parts, run))
    },
  )
}
