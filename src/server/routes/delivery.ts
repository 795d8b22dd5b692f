import { z } from 'zod'
import { type DeliveryMemory, deliveryDays } from '../../store/stacks/delivery.ts'
import { repositoryOf } from '../auth/enforce.ts'
import type { RouteModule } from '../parts.ts'
import { InRepository } from '../schemas/common.ts'
import { Delivery } from '../schemas/stacks.ts'

const DAY_MS = 86_400_000

/** How often, how fast and how well changes arrive. */
export const deliveryRoutes: RouteModule<'store'> = (app, { store }) => {
  const memory: DeliveryMemory = new Map()
  app.get(
    '/api/v1/repositories/:repository/delivery',
    {
      config: { action: 'deployment.read' },
      schema: {
        tags: ['stacks'],
        summary: 'Deployments, failures and heals a day, with lead time, time to restore and time from drift to heal',
        params: InRepository,
        querystring: z.strictObject({ days: z.coerce.number().int().min(1).max(366).default(30) }),
        response: { 200: Delivery },
      },
    },
    async (request) => {
      const now = store.clock.now()
      const since = now - (request.query.days - 1) * DAY_MS
      return await deliveryDays(store.db, { repositoryId: repositoryOf(request).id, since, now }, memory)
    },
  )
}
