import { z } from 'zod'
import { TrueupError } from '../../lib/errors/error.ts'
import { canDo } from '../../domain/wire/versions.ts'
import { queues } from '../../engine/worker/queues.ts'
import { appendAudit } from '../../store/audit/audit.ts'
import { findRepositoryByName } from '../../store/changes/repositories.ts'
import type { Queries } from '../../store/database/context.ts'
import {
  createEnrolment,
  getWorker,
  listWorkers,
  patchWorker,
  revokeWorker,
  type Worker as WorkerRow,
} from '../../store/workers/workers.ts'
import { principalOf } from '../auth/enforce.ts'
import { newToken } from '../auth/token.ts'
import { PageQuery, pageOf } from '../pagination.ts'
import type { RouteModule } from '../parts.ts'
import { Done } from '../schemas/common.ts'
import { Enrolment, NewEnrolment, Queue, Worker } from '../schemas/operations.ts'
import { by } from './users.ts'
import { workerView } from './worker-view.ts'

/** NOT_FOUND names the repository that there is not. */
async function idsOf(tx: Queries, names: readonly string[]): Promise<string[]> {
  return await Promise.all(
    names.map(async (name) => {
      const repository = await findRepositoryByName(tx, name)
      if (repository) return repository.id
      throw new TrueupError('NOT_FOUND', {
        doing: 'making an enrolment token',
        why: `there is no repository "${name}"`,
        next: '`trueup repo list` shows all.',
      })
    }),
  )
}

async function workerOf(tx: Queries, id: string, doing: string): Promise<WorkerRow> {
  const worker = await getWorker(tx, id)
  if (worker) return worker
  throw new TrueupError('NOT_FOUND', {
    doing: `${doing} worker ${id}`,
    why: 'there is no worker of that id',
    next: '`trueup worker list` shows all.',
  })
}

export const workerRoutes: RouteModule<'store' | 'engine'> = (app, { store, engine }) => {
  const tags = ['workers']

  app.get(
    '/api/v1/workers',
    {
      config: { action: 'worker.list' },
      schema: {
        tags,
        summary: 'All workers, revoked ones too',
        querystring: PageQuery,
        response: { 200: pageOf(Worker) },
      },
    },
    async (request) => {
      const { items, next } = await listWorkers(store.db, request.query)
      return {
        items: await workerView(
          store,
          { connectedIds: engine.connectedWorkers(), principal: principalOf(request) },
          items,
        ),
        next,
      }
    },
  )

  app.get(
    '/api/v1/workers/queues',
    {
      config: { action: 'worker.list' },
      schema: {
        tags,
        summary: 'What waits for workers, by pool: the signal to have more or fewer of them',
        response: { 200: z.object({ items: z.array(Queue) }) },
      },
    },
    async () => ({ items: await queues(engine.parts) }),
  )

  app.post(
    '/api/v1/workers/enrolments',
    {
      config: { action: 'worker.manage', secretAnswer: true },
      schema: {
        tags,
        summary: 'Make a one-time token with which a worker enrols',
        body: NewEnrolment,
        response: { 201: Enrolment },
      },
    },
    async (request, reply) => {
      const { pools, repositories, environments, expiresInMs } = request.body
      const { token, hash } = newToken('enrolment')
      const expiresAt = store.clock.now() + expiresInMs
      const id = await store.transaction(async (tx) => {
        const row = await createEnrolment(tx, {
          tokenHash: hash,
          pools,
          repositories: await idsOf(tx, repositories),
          environments,
          expiresAt,
          createdById: request.principal!.userId,
        })
        await appendAudit(tx, {
          ...by(request),
          action: 'worker.enrolment_create',
          subject: row.id,
          data: { pools, repositories, environments, expiresAt },
        })
        return row.id
      })
      return reply.code(201).send({ id, token, pools, repositories, environments, expiresAt })
    },
  )

  app.put(
    '/api/v1/workers/:worker/draining',
    {
      config: { action: 'worker.manage' },
      schema: {
        tags,
        summary: 'Give a worker no further runs, or give it some again; what it has comes to its end',
        params: z.object({ worker: z.string().max(100) }),
        body: z.strictObject({ draining: z.boolean() }),
        response: { 200: Done },
      },
    },
    async (request) => {
      const { draining } = request.body
      const pools = await store.transaction(async (tx) => {
        const worker = await workerOf(tx, request.params.worker, 'draining')
        await patchWorker(tx, worker.id, { info: { ...worker.info, draining } })
        await appendAudit(tx, {
          ...by(request),
          action: draining ? 'worker.drain' : 'worker.undrain',
          subject: worker.id,
          data: { name: worker.name },
        })
        return worker.pools
      })
      if (!draining) for (const pool of pools) engine.parts.hub.announceWork(pool)
      return { ok: true as const }
    },
  )

  app.post(
    '/api/v1/workers/:worker/rotation',
    {
      config: { action: 'worker.manage' },
      schema: {
        tags,
        summary: 'Ask a worker to make itself a new key; it does so at once, or when it connects next',
        params: z.object({ worker: z.string().max(100) }),
        response: { 202: Done },
      },
    },
    async (request, reply) => {
      await store.transaction(async (tx) => {
        const worker = await workerOf(tx, request.params.worker, 'rotating the key of')
        if (worker.revokedAt !== null)
          throw new TrueupError('CONFLICT', {
            doing: `rotating the key of worker ${worker.id}`,
            why: 'it is revoked, and no key of it counts',
            next: 'Enrol it anew: `trueup worker enrol`.',
          })
        if (typeof worker.info['version'] === 'string' && !canDo(worker.info['capabilities'], 'rotateKey'))
          throw new TrueupError('CONFLICT', {
            doing: `rotating the key of worker ${worker.id}`,
            why: `its version ${worker.info['version']} cannot replace its key`,
            next: 'Upgrade it, or enrol it anew: `trueup worker enrol`.',
          })
        await patchWorker(tx, worker.id, { keyAskedAt: store.clock.now() })
        await appendAudit(tx, {
          ...by(request),
          action: 'worker.rotation_ask',
          subject: worker.id,
          data: { name: worker.name },
        })
      })
      engine.parts.hub.send(request.params.worker, { event: 'rotateKey' })
      return reply.code(202).send({ ok: true as const })
    },
  )

  app.delete(
    '/api/v1/workers/:worker',
    {
      config: { action: 'worker.manage' },
      schema: {
        tags,
        summary: 'Revoke a worker: its key counts no longer and its leases run out',
        params: z.object({ worker: z.string().max(100) }),
        response: { 200: Done },
      },
    },
    async (request) => {
      await store.transaction(async (tx) => {
        const worker = await workerOf(tx, request.params.worker, 'revoking')
        if (worker.revokedAt === null) await revokeWorker(tx, worker.id)
        await appendAudit(tx, {
          ...by(request),
          action: 'worker.revoke',
          subject: worker.id,
          data: { name: worker.name },
        })
      })
      engine.parts.hub.cut(request.params.worker)
      return { ok: true as const }
    },
  )
}
