import { z } from 'zod'
import { freezeEnvironment, unfreezeEnvironment } from '../../engine/environments.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import { getFreeze } from '../../store/stacks/freezes.ts'
import { principalOf, repositoryOf } from '../auth/enforce.ts'
import { PageQuery, pageInMemory, pageOf } from '../pagination.ts'
import type { RouteModule } from '../parts.ts'
import { InRepository } from '../schemas/common.ts'
import { Environment, Freeze, FreezeOrder } from '../schemas/environments.ts'
import { environmentsOf, showFreeze } from './environment-view.ts'

const LIST = '/api/v1/repositories/:repository/environments'
const InEnvironment = InRepository.extend({ environment: z.string().max(63) })

/** Environments: their rules, whether deployments are open, and stopping them. */
export const environmentRoutes: RouteModule<'engine'> = (app, { engine }) => {
  const { parts } = engine
  const tags = ['environments']

  app.get(
    LIST,
    {
      config: { action: 'environment.read' },
      schema: {
        tags,
        summary: 'Environments with their rules, freezes, and whether deployments are open now',
        params: InRepository,
        querystring: PageQuery,
        response: { 200: pageOf(Environment) },
      },
    },
    async (request) => {
      const all = await environmentsOf(parts, repositoryOf(request).id)
      return pageInMemory(all, request.query, (environment) => environment.name)
    },
  )

  app.get(
    `${LIST}/:environment`,
    {
      config: { action: 'environment.read' },
      schema: { tags, summary: 'One environment', params: InEnvironment, response: { 200: Environment } },
    },
    async (request) => {
      const { environment: name } = request.params
      const repository = repositoryOf(request)
      const found = (await environmentsOf(parts, repository.id)).find((environment) => environment.name === name)
      if (found) return found
      throw new TrueupError('NOT_FOUND', {
        doing: `looking up environment "${name}" of ${repository.name}`,
        why: "the default branch's trueup.yaml has none of that name",
        next: '`trueup env list` shows those that there are.',
      })
    },
  )

  app.post(
    `${LIST}/:environment/freezes`,
    {
      config: { action: 'environment.freeze' },
      schema: {
        tags,
        summary: 'Stop deployments and heals to it',
        params: InEnvironment,
        body: FreezeOrder,
        response: { 201: Freeze },
      },
    },
    async (request, reply) => {
      const { reason, until = null } = request.body
      const freeze = await freezeEnvironment(parts, {
        repositoryId: repositoryOf(request).id,
        environment: request.params.environment,
        reason,
        until,
        actorId: principalOf(request).userId,
      })
      return reply.code(201).send(await showFreeze(parts, freeze))
    },
  )

  app.delete(
    `${LIST}/:environment/freezes/:freeze`,
    {
      config: { action: 'environment.freeze' },
      schema: {
        tags,
        summary: 'Lift a freeze; what it held back goes on',
        params: InEnvironment.extend({ freeze: z.string().max(100) }),
        response: { 200: Freeze },
      },
    },
    async (request) => {
      const { environment, freeze: freezeId } = request.params
      const freeze = await getFreeze(parts.store.db, freezeId)
      // The right was checked for this repository only.
      if (freeze?.repositoryId !== repositoryOf(request).id || freeze.environment !== environment) {
        throw new TrueupError('NOT_FOUND', {
          doing: `lifting freeze ${freezeId} of ${environment}`,
          why: 'there is none of this id',
          next: '`trueup env show` shows those in force.',
        })
      }
      const actorId = principalOf(request).userId
      return showFreeze(parts, await unfreezeEnvironment(parts, { freezeId, actorId }))
    },
  )
}
