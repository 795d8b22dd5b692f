import { appendAudit } from '../../store/audit/audit.ts'
import { databaseSizeAside } from '../../store/reading/reading.ts'
import { prune } from '../../store/retention/prune.ts'
import { giveBackFree } from '../../store/retention/shrink.ts'
import { getRetention, setRetention } from '../../store/retention/retention.ts'
import type { RouteModule } from '../parts.ts'
import { DatabaseSize, Pruned, PruneOrder, Retention } from '../schemas/database.ts'
import { by } from './users.ts'

const PATH = '/api/v1/server/database'

/** How large the database is, what is kept for how long, and removing what is older. */
export const databaseRoutes: RouteModule<'store' | 'keys'> = (app, { store, keys }) => {
  const tags = ['server']

  app.get(
    PATH,
    {
      config: { action: 'server.database' },
      schema: {
        tags,
        summary: 'Size of the database and of its tables, and how long things are kept',
        response: { 200: DatabaseSize },
      },
    },
    async () => ({ ...(await databaseSizeAside(store)), retention: await getRetention(store.db) }),
  )

  app.put(
    `${PATH}/retention`,
    {
      config: { action: 'server.database' },
      schema: { tags, summary: 'How long things are kept', body: Retention, response: { 200: Retention } },
    },
    async (request) => {
      await store.transaction(async (tx) => {
        await setRetention(tx, request.body)
        await appendAudit(tx, { ...by(request), action: 'server.retention', subject: 'server', data: request.body })
      })
      return request.body
    },
  )

  app.post(
    `${PATH}/prune`,
    {
      config: { action: 'server.database' },
      schema: {
        tags,
        summary: 'Remove now what is older than it is to be kept, or say how much that is',
        body: PruneOrder,
        response: { 200: Pruned },
      },
    },
    async (request) => {
      const { dryRun } = request.body
      const pruned = await prune(store, keys, await getRetention(store.db), { dryRun, actor: by(request).actor })
      if (!dryRun)
        await store.transaction((tx) =>
          appendAudit(tx, { ...by(request), action: 'server.prune', subject: 'server', data: { ...pruned } }),
        )
      if (!dryRun) await giveBackFree(store)
      return { dryRun, ...pruned }
    },
  )
}
