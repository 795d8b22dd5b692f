import { z } from 'zod'
import { rollBack } from '../../engine/rollback/rollback.ts'
import { listDeployments } from '../../store/stacks/deployments.ts'
import { listStacks } from '../../store/stacks/stacks.ts'
import { principalOf, repositoryOf } from '../auth/enforce.ts'
import { environmentOf, requireStepUp } from '../auth/step-up.ts'
import { PageQuery, pageOf } from '../pagination.ts'
import type { RouteModule } from '../parts.ts'
import { InRepository } from '../schemas/common.ts'
import { MrDetail } from '../schemas/merge-requests.ts'
import { Deployment, FoundByQuery, RollbackOrder, Stack, StackDetail, StackState } from '../schemas/stacks.ts'
import { mrOf, showDetail as showMr } from './mr-view.ts'
import { showDeployments, showStackDetail, showStacks, stackOf } from './stack-view.ts'

const REPOSITORY = '/api/v1/repositories/:repository'
/** Stack names hold slashes, so the key is a query and not a part of the path. */
const StackQuery = z.strictObject({ stack: z.string().max(300).meta({ description: 'environment/name' }) })

/** Stacks, their history, and the way back. */
export const stackRoutes: RouteModule<'engine'> = (app, { engine }) => {
  const { parts } = engine
  const tags = ['stacks']

  app.get(
    `${REPOSITORY}/stacks`,
    {
      config: { action: 'stack.read' },
      schema: {
        tags,
        summary: 'Stacks with desired, deployed and observed revision',
        params: InRepository,
        querystring: PageQuery.extend({
          ...FoundByQuery,
          environment: z.string().max(63).optional(),
          state: StackState.optional(),
        }),
        response: { 200: pageOf(Stack) },
      },
    },
    async (request) => {
      const { limit, cursor, environment, state, q, ...found } = request.query
      const filter = {
        repositoryId: repositoryOf(request).id,
        ...found,
        ...(q !== undefined && { text: q }),
        ...(environment !== undefined && { environment }),
        ...(state && { statuses: [state] }),
      }
      const page = await listStacks(parts.store.db, filter, { limit, cursor })
      return { items: await showStacks(parts, page.items), next: page.next }
    },
  )

  app.get(
    `${REPOSITORY}/stack`,
    {
      config: { action: 'stack.read' },
      schema: {
        tags,
        summary: 'One stack',
        params: InRepository,
        querystring: StackQuery,
        response: { 200: StackDetail },
      },
    },
    async (request) => showStackDetail(parts, await stackOf(parts, repositoryOf(request), request.query.stack)),
  )

  app.get(
    `${REPOSITORY}/deployments`,
    {
      config: { action: 'deployment.read' },
      schema: {
        tags,
        summary: 'What was enacted, newest first',
        params: InRepository,
        querystring: PageQuery.extend({
          stack: z.string().max(300).optional(),
          mr: z.coerce.number().int().min(1).optional().meta({ description: 'only those of this merge request' }),
        }),
        response: { 200: pageOf(Deployment) },
      },
    },
    async (request) => {
      const { limit, cursor, stack: key, mr } = request.query
      const repository = repositoryOf(request)
      const stackId = key === undefined ? undefined : (await stackOf(parts, repository, key)).id
      const filter = {
        repositoryId: repository.id,
        ...(stackId !== undefined && { stackId }),
        ...(mr !== undefined && { mrId: (await mrOf(parts, repository, mr)).id }),
      }
      const page = await listDeployments(parts.store.db, filter, { limit, cursor })
      return { items: await showDeployments(parts, page.items), next: page.next }
    },
  )

  app.post(
    `${REPOSITORY}/rollbacks`,
    {
      config: { action: 'rollback.create' },
      schema: {
        tags,
        summary: 'Make a revert merge request on the fast lane, and quarantine the bad state',
        params: InRepository,
        body: RollbackOrder,
        response: { 201: MrDetail },
      },
    },
    async (request, reply) => {
      const repository = repositoryOf(request)
      const { target, reason } = request.body
      // A deployment of any environment may be meant.
      const where =
        target.what === 'stack'
          ? [environmentOf(target.stack)]
          : target.what === 'environment'
            ? [target.environment]
            : null
      await requireStepUp(parts, request, where)
      const mr = await rollBack(parts, {
        reason,
        actorId: principalOf(request).userId,
        target:
          target.what === 'stack'
            ? {
                what: 'stack',
                stackId: (await stackOf(parts, repository, target.stack)).id,
                ...(target.to && { toCommit: target.to }),
              }
            : target.what === 'environment'
              ? {
                  what: 'environment',
                  repositoryId: repository.id,
                  environment: target.environment,
                  ...(target.to && { toCommit: target.to }),
                }
              : { what: 'deployment', repositoryId: repository.id, deploymentId: target.deployment },
      })
      return reply.code(201).send(await showMr(parts, repository.name, mr))
    },
  )
}
