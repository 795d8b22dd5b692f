import { z } from 'zod'
import { stackKey } from '../../domain/stacks/stack.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import { getRepository } from '../../store/changes/repositories.ts'
import { roleIn } from '../../store/people/members.ts'
import { listRuns } from '../../store/runs/runs.ts'
import { requireStack } from '../../store/stacks/stacks.ts'
import { findWorkerByName, getWorker } from '../../store/workers/workers.ts'
import { principalOf } from '../auth/enforce.ts'
import type { Principal } from '../auth/permissions.ts'
import type { RouteModule, ServerParts } from '../parts.ts'
import { WorkerDetail } from '../schemas/operations.ts'
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
        response: { 200: WorkerDetail },
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
      const [view] = await workerView(store, engine.connectedWorkers(), [worker])
      return { ...view!, ...(await heldBy(store, worker.id, principalOf(request))) }
    },
  )
}

async function heldBy(
  { db }: ServerParts['store'],
  workerId: string,
  { kind, userId }: Principal,
): Promise<Pick<WorkerDetail, 'runs' | 'otherRuns'>> {
  const { items } = await listRuns(db, { heldBy: workerId }, { limit: 500 })
  const runs: WorkerDetail['runs'] = []
  for (const run of items) {
    if (kind !== 'admin' && (await roleIn(db, run.repositoryId, userId)) === null) continue
    const { environment, name } = await requireStack(db, run.stackId)
    const repository = (await getRepository(db, run.repositoryId))?.name ?? run.repositoryId
    const { id, state, startedAt } = run
    runs.push({ id, repository, stack: stackKey(environment, name), kind: run.kind, state, startedAt })
  }
  return { runs, otherRuns: items.length - runs.length }
}
