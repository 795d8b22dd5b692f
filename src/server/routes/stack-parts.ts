import { z } from 'zod'
import { resourcesOf } from '../../engine/stacks/resources.ts'
import { listPlaces } from '../../store/stacks/places-list.ts'
import { repositoryOf } from '../auth/enforce.ts'
import { PageQuery, pageOf } from '../pagination.ts'
import type { RouteModule } from '../parts.ts'
import { InRepository } from '../schemas/common.ts'
import { ManagedPlace, StackResources } from '../schemas/stack-parts.ts'
import { stackOf } from './stack-view.ts'

const REPOSITORY = '/api/v1/repositories/:repository'
/** More than a person looks through; the answer says how many are left out. */
const MAX_RESOURCES = 2_000

/** What stacks are made of: their resources by name, and the places that each has alone. */
export const stackPartRoutes: RouteModule<'engine'> = (app, { engine: { parts } }) => {
  const tags = ['stacks']

  app.get(
    `${REPOSITORY}/resources`,
    {
      config: { action: 'stack.read' },
      schema: {
        tags,
        summary: 'Resources of a stack that something has happened to, and how each is',
        params: InRepository,
        querystring: z.strictObject({ stack: z.string().max(300).meta({ description: 'environment/name' }) }),
        response: { 200: StackResources },
      },
    },
    async (request) => {
      const stack = await stackOf(parts, repositoryOf(request), request.query.stack)
      const all = await resourcesOf(parts.store.db, stack)
      return {
        items: all
          .slice(0, MAX_RESOURCES)
          .map(({ address, health, why, runId }) => ({ address, health, why, run: runId })),
        more: Math.max(all.length - MAX_RESOURCES, 0),
        checked: stack.observedChecked,
      }
    },
  )

  app.get(
    `${REPOSITORY}/places`,
    {
      config: { action: 'stack.read' },
      schema: {
        tags,
        summary: 'Directories, states and objects that one stack each manages alone, by address',
        params: InRepository,
        querystring: PageQuery.extend({
          // An address is a path, and so is as long as one.
          cursor: z.string().max(8_192).optional(),
          environment: z.string().max(63).optional(),
          stack: z.string().max(300).optional().meta({ description: 'environment/name' }),
          q: z.string().max(300).optional().meta({ description: 'any part of an address' }),
        }),
        response: { 200: pageOf(ManagedPlace) },
      },
    },
    async (request) => {
      const { limit, cursor, environment, stack, q } = request.query
      const repository = repositoryOf(request)
      const filter = {
        repositoryId: repository.id,
        ...(environment !== undefined && { environment }),
        ...(stack !== undefined && { stackId: (await stackOf(parts, repository, stack)).id }),
        ...(q !== undefined && { text: q }),
      }
      const page = await listPlaces(parts.store.db, filter, { limit, cursor })
      return {
        items: page.items.map(({ address, stackId, environment: own, name, driver, claimedAt }) => ({
          address,
          stack: `${own}/${name}`,
          stackId,
          driver,
          since: claimedAt,
        })),
        next: page.next,
      }
    },
  )
}
