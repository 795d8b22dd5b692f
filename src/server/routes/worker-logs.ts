import { z } from 'zod'
import { LOG_LINES_LIMIT } from '../../domain/wire/worker-protocol.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import { findWorkerByName, getWorker } from '../../store/workers/workers.ts'
import type { RouteModule } from '../parts.ts'
import { WorkerLog } from '../schemas/operations.ts'

/** The own log of a worker, as it has it in memory. */
export const workerLogRoutes: RouteModule<'store' | 'engine'> = (app, { store, engine }) => {
  app.get(
    '/api/v1/workers/:worker/logs',
    {
      config: { action: 'worker.logs' },
      schema: {
        tags: ['workers'],
        summary: 'The newest entries of the own log of a connected worker, oldest first; it is asked for them now',
        params: z.object({ worker: z.string().max(200) }),
        querystring: z.strictObject({ lines: z.coerce.number().int().min(1).max(LOG_LINES_LIMIT).default(200) }),
        response: { 200: WorkerLog },
      },
    },
    async (request) => {
      const { worker: named } = request.params
      const worker = (await getWorker(store.db, named)) ?? (await findWorkerByName(store.db, named))
      if (!worker)
        throw new TrueupError('NOT_FOUND', {
          doing: `reading the log of worker ${named}`,
          why: 'there is no worker of that id or name',
          next: '`trueup worker list` shows all.',
        })
      const lines = await engine.worker.recentLog(worker.id, request.query.lines)
      return { worker: worker.name, entries: lines.map(entryOf) }
    },
  )
}

/** A line of JSON as it stands; what is none is its message. */
function entryOf(line: string): WorkerLog['entries'][number] {
  try {
    const parsed = z.record(z.string(), z.json()).safeParse(JSON.parse(line))
    if (parsed.success) return parsed.data
  } catch {
    // No JSON: below.
  }
  return { msg: line }
}
