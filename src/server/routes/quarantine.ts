import { z } from 'zod'
import { liftQuarantine } from '../../engine/rolled-back/quarantine.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import { getQuarantine, listQuarantine } from '../../store/stacks/quarantine.ts'
import { principalOf, repositoryOf } from '../auth/enforce.ts'
import { PageQuery, pageInMemory, pageOf } from '../pagination.ts'
import type { RouteModule } from '../parts.ts'
import { InRepository } from '../schemas/common.ts'
import { Lifting, Quarantine } from '../schemas/stacks.ts'
import { showQuarantine } from './quarantine-view.ts'
import { stackOf } from './stack-view.ts'

const LIST = '/api/v1/repositories/:repository/quarantine'

/** Desired states that were rolled back: nothing deploys them again until a person says so. */
export const quarantineRoutes: RouteModule<'engine'> = (app, { engine }) => {
  const { parts } = engine
  const tags = ['stacks']

  app.get(
    LIST,
    {
      config: { action: 'stack.read' },
      schema: {
        tags,
        summary: 'Desired states that were rolled back and are not deployed again',
        params: InRepository,
        querystring: PageQuery.extend({ stack: z.string().max(300).optional() }),
        response: { 200: pageOf(Quarantine) },
      },
    },
    async (request) => {
      const { stack: key } = request.query
      const repository = repositoryOf(request)
      const stackId = key === undefined ? undefined : (await stackOf(parts, repository, key)).id
      const rows = await listQuarantine(parts.store.db, { repositoryId: repository.id, ...(stackId && { stackId }) })
      const all = await Promise.all(rows.map((row) => showQuarantine(parts, row)))
      return pageInMemory(all, request.query, (row) => row.id)
    },
  )

  app.post(
    `${LIST}/:entry/lift`,
    {
      config: { action: 'quarantine.lift' },
      schema: {
        tags,
        summary: 'Let a rolled back state be deployed again',
        params: InRepository.extend({ entry: z.string().max(100) }),
        body: Lifting,
        response: { 200: Quarantine },
      },
    },
    async (request) => {
      const { entry: quarantineId } = request.params
      const { id: repositoryId, name } = repositoryOf(request)
      // The right was checked for this repository only.
      if ((await getQuarantine(parts.store.db, quarantineId))?.repositoryId !== repositoryId) {
        throw new TrueupError('NOT_FOUND', {
          doing: `lifting quarantine ${quarantineId} in ${name}`,
          why: 'there is none of this id',
          next: '`trueup stack quarantine` shows those in force.',
        })
      }
      const wish = { quarantineId, reason: request.body.reason, actorId: principalOf(request).userId }
      return showQuarantine(parts, await liftQuarantine(parts, wish))
    },
  )
}
