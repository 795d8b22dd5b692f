import { z } from 'zod'
import { removeOrphan } from '../../engine/deploy/remove-orphan.ts'
import { principalOf, repositoryOf } from '../auth/enforce.ts'
import { environmentOf, requireStepUp } from '../auth/step-up.ts'
import type { RouteModule } from '../parts.ts'
import { InRepository } from '../schemas/common.ts'
import { RunSummary } from '../schemas/plans.ts'
import { RemovalOrder } from '../schemas/stacks.ts'
import { showRun } from './run-view.ts'
import { stackOf } from './stack-view.ts'

/** Stacks that have left Git: nothing is destroyed or forgotten until a person decides. */
export const orphanRoutes: RouteModule<'engine'> = (app, { engine: { parts } }) => {
  app.post(
    '/api/v1/repositories/:repository/stack/removal',
    {
      config: { action: 'stack.destroy' },
      schema: {
        tags: ['stacks'],
        summary: 'Destroy or forget what a stack that has left Git left behind',
        params: InRepository,
        body: RemovalOrder,
        response: {
          200: z.object({
            run: RunSummary.nullable().meta({ description: 'the destroy run, which waits for approval' }),
          }),
        },
      },
    },
    async (request) => {
      const { stack, how, reason } = request.body
      if (how === 'destroy') await requireStepUp(parts, request, [environmentOf(stack)])
      const { id: stackId } = await stackOf(parts, repositoryOf(request), stack)
      const run = await removeOrphan(parts, { stackId, how, reason, actorId: principalOf(request).userId })
      return { run: run && (await showRun(parts, run)) }
    },
  )
}
