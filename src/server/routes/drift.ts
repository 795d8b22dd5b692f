import { z } from 'zod'
import { acceptDrift, checkNow, codifyNow, healNow } from '../../engine/drift/actions.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import { getDriftRecord, listDriftRecords } from '../../store/stacks/drift.ts'
import { getStack } from '../../store/stacks/stacks.ts'
import { principalOf, repositoryOf } from '../auth/enforce.ts'
import { requireStepUp } from '../auth/step-up.ts'
import { PageQuery, pageOf } from '../pagination.ts'
import type { RouteModule } from '../parts.ts'
import { InRepository } from '../schemas/common.ts'
import { Acceptance, DriftRecord, DriftState, StackOrder } from '../schemas/drift.ts'
import { RunSummary } from '../schemas/plans.ts'
import { showDrift, showDrifts } from './drift-view.ts'
import { showRun } from './run-view.ts'
import { stackOf } from './stack-view.ts'

const PATH = '/api/v1/repositories/:repository/drift'

/** What people order for a stack that has drifted, or may have. */
const ORDERS = [
  { path: 'checks', action: 'drift.check', order: checkNow, summary: 'Look for drift of a stack now' },
  { path: 'heals', action: 'drift.heal', order: healNow, summary: 'Overwrite the drift of a stack now' },
  {
    path: 'codifications',
    action: 'drift.codify',
    order: codifyNow,
    summary: 'Look for drift of a stack now and open a merge request that writes it into Git',
  },
] as const

/** Drift: what has left the deployed revision, and what to do about it. */
export const driftRoutes: RouteModule<'engine'> = (app, { engine }) => {
  const { parts } = engine
  const tags = ['drift']

  app.get(
    PATH,
    {
      config: { action: 'drift.read' },
      schema: {
        tags,
        summary: 'Drift records, newest first; open ones unless said otherwise',
        params: InRepository,
        querystring: PageQuery.extend({
          stack: z.string().max(300).optional(),
          environment: z.string().max(63).optional(),
          state: z.enum([...DriftState.options, 'all']).default('open'),
        }),
        response: { 200: pageOf(DriftRecord) },
      },
    },
    async (request) => {
      const { limit, cursor, stack: key, environment, state } = request.query
      const repository = repositoryOf(request)
      const stackId = key === undefined ? undefined : (await stackOf(parts, repository, key)).id
      const filter = {
        repositoryId: repository.id,
        ...(stackId !== undefined && { stackId }),
        ...(environment !== undefined && { environment }),
        ...(state !== 'all' && { states: [state] }),
      }
      const page = await listDriftRecords(parts.store.db, filter, { limit, cursor })
      return { items: await showDrifts(parts, page.items), next: page.next }
    },
  )

  for (const { path, action, order, summary } of ORDERS) {
    app.post(
      `${PATH}/${path}`,
      {
        config: { action },
        schema: { tags, summary, params: InRepository, body: StackOrder, response: { 201: RunSummary } },
      },
      async (request, reply) => {
        const stack = await stackOf(parts, repositoryOf(request), request.body.stack)
        if (action === 'drift.heal') await requireStepUp(parts, request, [stack.environment])
        const run = await order(parts, { stackId: stack.id, actorId: principalOf(request).userId })
        return reply.code(201).send(await showRun(parts, run))
      },
    )
  }

  app.post(
    `${PATH}/:record/accept`,
    {
      config: { action: 'drift.accept' },
      schema: {
        tags,
        summary: 'Let one attribute be as it is, for a reason and a time',
        params: InRepository.extend({ record: z.string().max(100) }),
        body: Acceptance,
        response: { 200: DriftRecord },
      },
    },
    async (request) => {
      const { record: recordId } = request.params
      await assertHere(recordId, repositoryOf(request))
      const { reason, until = null } = request.body
      const wish = { recordId, reason, until, actorId: principalOf(request).userId }
      return showDrift(parts, await acceptDrift(parts, wish))
    },
  )

  /** A record of another repository must look like one that does not exist: the right was checked for this one only. */
  async function assertHere(recordId: string, repository: { id: string; name: string }): Promise<void> {
    const record = await getDriftRecord(parts.store.db, recordId)
    const stack = record && (await getStack(parts.store.db, record.stackId))
    if (stack?.repositoryId === repository.id) return
    throw new TrueupError('NOT_FOUND', {
      doing: `looking up drift record ${recordId} in ${repository.name}`,
      why: 'there is none of this id',
      next: '`trueup drift list` shows those that there are.',
    })
  }
}
