import { z } from 'zod'
import {
  MAX_FRAME_BYTES,
  CallRequest,
  EnrolAnswer,
  EnrolRequest,
  EventsAnswer,
  KeyAnswer,
  KeyRequest,
  WORKER_PATHS,
} from '../../domain/wire/worker-protocol.ts'
import type { RouteModule } from '../parts.ts'
import { dispatch } from '../worker/dispatch.ts'
import { enrolWorker } from '../worker/enrol.ts'
import { createMailboxes } from '../worker/mailbox.ts'
import { rotateKey } from '../worker/rotate.ts'

const MAX_WAIT_MS = 50_000

/** The worker protocol over plain HTTP: enrolment, calls, events by long poll, workspaces. */
export const workerWireRoutes: RouteModule<'store' | 'engine'> = (app, { store, engine }) => {
  const mailboxes = createMailboxes(engine.worker)
  const stopping = new AbortController()
  app.addHook('preClose', async () => {
    stopping.abort()
    mailboxes.close()
  })

  app.post(
    WORKER_PATHS.enrol,
    {
      config: { action: 'public', rateLimit: { max: 30, timeWindow: '1 minute' } },
      schema: {
        tags: ['worker'],
        summary: 'Exchange a one-time enrolment token for a worker identity',
        security: [],
        body: EnrolRequest,
        response: { 201: EnrolAnswer },
      },
    },
    async (request, reply) => reply.code(201).send(await enrolWorker(store, request.body)),
  )

  app.post(
    WORKER_PATHS.key,
    {
      config: { action: 'worker' },
      schema: {
        tags: ['worker'],
        summary: 'Put a new key in the place of the one that signs the request',
        body: KeyRequest,
        response: { 200: KeyAnswer },
      },
    },
    async (request) => await rotateKey(store, request.workerProof!, request.body),
  )

  app.post(
    WORKER_PATHS.call,
    {
      config: { action: 'worker' },
      bodyLimit: MAX_FRAME_BYTES,
      schema: {
        tags: ['worker'],
        summary: 'Call a method of the worker protocol where WebSocket is not to be had',
        body: CallRequest,
        response: { 200: z.object({ result: z.unknown() }) },
      },
    },
    async (request) => ({
      result: await dispatch(engine.worker, request.workerId!, request.body.method, request.body.params),
    }),
  )

  app.get(
    WORKER_PATHS.events,
    {
      config: { action: 'worker' },
      schema: {
        tags: ['worker'],
        summary: 'Events for this worker; waits until there is one or the time is up',
        querystring: z.strictObject({ waitMs: z.coerce.number().int().min(0).max(MAX_WAIT_MS).default(25_000) }),
        response: { 200: EventsAnswer },
      },
    },
    async (request) => {
      const gone = new AbortController()
      request.raw.once('close', () => gone.abort())
      const signal = AbortSignal.any([gone.signal, stopping.signal])
      return { events: await mailboxes.take(request.workerId!, request.query.waitMs, signal) }
    },
  )

  app.get(
    '/api/v1/worker/runs/:runId/workspace',
    {
      config: { action: 'worker' },
      schema: {
        tags: ['worker'],
        summary: 'The files of a run as a tar stream',
        params: z.object({ runId: z.string().max(100) }),
        querystring: z.strictObject({ fence: z.coerce.number().int() }),
      },
    },
    async (request, reply) => {
      const stream = await engine.worker.workspace(request.workerId!, request.params.runId, request.query.fence)
      return reply.type('application/x-tar').send(stream)
    },
  )

  app.get(
    '/api/v1/worker/runs/:runId/deployed',
    {
      config: { action: 'worker' },
      schema: {
        tags: ['worker'],
        summary: "The files of a run's stack as it is deployed, as a tar stream",
        params: z.object({ runId: z.string().max(100) }),
        querystring: z.strictObject({ fence: z.coerce.number().int() }),
      },
    },
    async (request, reply) => {
      const stream = await engine.worker.deployed(request.workerId!, request.params.runId, request.query.fence)
      return reply.type('application/x-tar').send(stream)
    },
  )

  app.get(
    '/api/v1/worker/watches/:stackId/workspace',
    {
      config: { action: 'worker' },
      schema: {
        tags: ['worker'],
        summary: 'The files of a watched stack at the commit of its watch order, as a tar stream',
        params: z.object({ stackId: z.string().max(100) }),
        querystring: z.strictObject({ commit: z.string().regex(/^[0-9a-f]{40,64}$/, 'a full commit id') }),
      },
    },
    async (request, reply) => {
      const { stackId } = request.params
      const stream = await engine.worker.watchWorkspace(request.workerId!, stackId, request.query.commit)
      return reply.type('application/x-tar').send(stream)
    },
  )

  const commitId = z.string().regex(/^[0-9a-f]{40,64}$/, 'a full commit id')

  app.get(
    '/api/v1/worker/stacks/:stackId/lineage',
    {
      config: { action: 'worker' },
      schema: {
        tags: ['worker'],
        summary: 'A Git pack of the commits after one up to another, by their first parents',
        params: z.object({ stackId: z.string().max(100) }),
        querystring: z.strictObject({ from: commitId, to: commitId }),
      },
    },
    async (request, reply) => {
      const pack = await engine.worker.lineage(request.workerId!, request.params.stackId, request.query)
      return reply.type('application/x-git-packed-objects').send(pack)
    },
  )
}
