import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import { isStateChanging } from '../../domain/runs/run.ts'
import { specOfRun } from '../../engine/run-spec.ts'
import { approveRun, cancelRun } from '../../engine/runs/actions.ts'
import { retryRun } from '../../engine/runs/retry.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import { readRunLog } from '../../store/runs/log.ts'
import { getRun, listRuns } from '../../store/runs/runs.ts'
import { principalOf, repositoryOf } from '../auth/enforce.ts'
import { requireStepUp } from '../auth/step-up.ts'
import { PageQuery, pageOf } from '../pagination.ts'
import type { RouteModule } from '../parts.ts'
import { InRepository } from '../schemas/common.ts'
import { RunDetail, RunKind, RunLog, RunState, RunSummary } from '../schemas/plans.ts'
import { mrOf } from './mr-view.ts'
import { showRunDetail, showRuns } from './run-view.ts'

const RunParams = z.object({ run: z.string().max(100) })

/** Runs: what workers do. Reading, following the log, approving, canceling, retrying. */
export const runRoutes: RouteModule<'engine'> = (app, { engine }) => {
  const { parts } = engine
  const tags = ['runs']
  const ofRun = async (params: Record<string, string>) =>
    (await getRun(parts.store.db, params.run!))?.repositoryId ?? null

  app.get(
    '/api/v1/repositories/:repository/runs',
    {
      config: { action: 'run.read' },
      schema: {
        tags,
        summary: 'Runs, newest first',
        params: InRepository,
        querystring: PageQuery.extend({
          stackId: z.string().max(100).optional(),
          mr: z.coerce.number().int().optional(),
          kind: RunKind.optional(),
          state: RunState.optional(),
        }),
        response: { 200: pageOf(RunSummary) },
      },
    },
    async (request) => {
      const { limit, cursor, stackId, mr, kind, state } = request.query
      const repository = repositoryOf(request)
      const mrId = mr === undefined ? undefined : (await mrOf(parts, repository, mr)).id
      const filter = {
        repositoryId: repository.id,
        ...(stackId !== undefined && { stackId }),
        ...(mrId !== undefined && { mrId }),
        ...(kind && { kinds: [kind] }),
        ...(state && { states: [state] }),
      }
      const page = await listRuns(parts.store.db, filter, { limit, cursor })
      return { items: await showRuns(parts, page.items), next: page.next }
    },
  )

  app.get(
    '/api/v1/runs/:run',
    {
      config: { action: 'run.read', repositoryOf: ofRun },
      schema: { tags, summary: 'One run with its plan', params: RunParams, response: { 200: RunDetail } },
    },
    async (request) => showRunDetail(parts, (await getRun(parts.store.db, request.params.run))!),
  )

  app.get(
    '/api/v1/runs/:run/log',
    {
      config: { action: 'run.read', repositoryOf: ofRun },
      schema: {
        tags,
        summary: 'Log text from an offset; `done` once the run has ended and everything was read',
        params: RunParams,
        querystring: z.strictObject({ offset: z.coerce.number().int().min(0).default(0) }),
        response: { 200: RunLog },
      },
    },
    async (request) => {
      // The state first: text that arrives after it was read only makes one more round.
      const run = (await getRun(parts.store.db, request.params.run))!
      const part = await readRunLog(parts.store.db, run.id, request.query.offset)
      return {
        text: part.text,
        times: part.times,
        next: part.next,
        done: run.finishedAt !== null && part.next >= part.size,
      }
    },
  )

  app.post(
    '/api/v1/runs/:run/approve',
    {
      config: { action: 'run.approve', repositoryOf: ofRun },
      schema: {
        tags,
        summary: 'Let a waiting run go on with the plan that it showed',
        params: RunParams,
        body: z.strictObject({
          digest: z.string().max(200),
          /** Needed by whoever may not approve it: the author of the change, who `approvals.from` does not name; a bypass. */
          reason: z.string().trim().min(1).max(2_000).optional(),
        }),
        response: { 200: RunDetail },
      },
    },
    async (request) => {
      const { userId, kind } = principalOf(request)
      await stepUpFor(request)
      const { digest, reason } = request.body
      if (reason !== undefined && kind !== 'admin') {
        throw new TrueupError('FORBIDDEN', {
          doing: `approving run ${request.params.run}`,
          why: 'only an administrator may release their own change, with a reason',
        })
      }
      const run = await approveRun(parts, {
        runId: request.params.run,
        digest,
        actorId: userId,
        ...(reason && { reason }),
      })
      return showRunDetail(parts, run)
    },
  )

  app.post(
    '/api/v1/runs/:run/cancel',
    {
      config: { action: 'run.cancel', repositoryOf: ofRun },
      schema: {
        tags,
        summary: 'Ask for its end: SIGINT, a grace, SIGKILL',
        params: RunParams,
        body: z.strictObject({ reason: z.string().max(2_000).optional() }).optional(),
        response: { 200: RunDetail },
      },
    },
    async (request) => {
      const reason = request.body?.reason
      const wish = {
        runId: request.params.run,
        actorId: principalOf(request).userId,
        ...(reason !== undefined && { reason }),
      }
      return showRunDetail(parts, await cancelRun(parts, wish))
    },
  )

  app.post(
    '/api/v1/runs/:run/retry',
    {
      config: {
        action: 'run.retry',
        repositoryOf: ofRun,
        // To do a heal again is to heal.
        also: async (request) => {
          const run = await getRun(parts.store.db, (request.params as { run: string }).run)
          return run?.kind === 'heal' ? 'drift.heal' : null
        },
      },
      schema: { tags, summary: 'Do it again with a fresh plan', params: RunParams, response: { 201: RunDetail } },
    },
    async (request, reply) => {
      await stepUpFor(request)
      const run = await retryRun(parts, { runId: request.params.run, actorId: principalOf(request).userId })
      return reply.code(201).send(await showRunDetail(parts, run))
    },
  )

  /** Plans and checks change nothing. */
  async function stepUpFor(request: FastifyRequest): Promise<void> {
    const run = await getRun(parts.store.db, (request.params as { run: string }).run)
    if (run && isStateChanging(run.kind)) await requireStepUp(parts, request, [specOfRun(run).definition.environment])
  }
}
