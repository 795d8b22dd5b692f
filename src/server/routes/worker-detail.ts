import { z } from 'zod'
import { TrueupError } from '../../lib/errors/error.ts'
import { findWorkerByName, getWorker } from '../../store/workers/workers.ts'
import { principalOf } from '../auth/enforce.ts'
import type { RouteModule } from '../parts.ts'
import { Worker } from '../schemas/operations.ts'
import { workerView } from './worker-view.ts'

/** One worker, and what it does now. */
export const workerDetailRoutes: RouteModule<'store' | 'engine'> = (app, { store, engine }) => {
  app.get(
    '/api/v1/workers/:worker',
    {
      config: { action: 'worker.list' },
      schema: {
        tags: ['workers'],
        summary:
          'One worker by id or name, and the runs that it has; of repositories that you have no role in only how many',
        params: z.object({ worker: z.string().max(200) }),
        response: { 200: Worker },
      },
    },
    async (request) => {
      const { worker: named } = request.params
      const worker = (await getWorker(store.db, named)) ?? (await findWorkerByName(store.db, named))
      if (!worker)
        throw new TrueupError('NOT_FOUND', {
          doing: `showing worker ${named}`,
          why: 'there is no worker of that id or name',
          next: '`trueup worker list` shows all.',
        })
      const seen = { connectedIds: engine.connectedWorkers(), principal: principalOf(request) }
      const [view] = await workerView(store, seen, [worker])
      return view!
    },
  )
}
