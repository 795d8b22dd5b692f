import { z } from 'zod'
import { judge } from '../../engine/merge-requests/gate.ts'
import { assertSeen, namedHead } from '../../engine/merge-requests/seen.ts'
import { mergeRequested } from '../../engine/merge-requests/merge.ts'
import { repositoryOf as gitOf, userActor } from '../../engine/parts.ts'
import { orderPreview } from '../../engine/run-tasks.ts'
import { listMergeRequests } from '../../store/changes/merge-requests.ts'
import { principalOf, repositoryOf } from '../auth/enforce.ts'
import { requireStepUp } from '../auth/step-up.ts'
import { PageQuery, pageOf } from '../pagination.ts'
import type { RouteModule } from '../parts.ts'
import { Done, InRepository } from '../schemas/common.ts'
import {
  Commit,
  FileDiff,
  MergeOrder,
  MrDetail,
  MrEdit,
  MrSummary,
  NewMr,
  NewReview,
} from '../schemas/merge-requests.ts'
import { mrOf, showDetail, showSummaries } from './mr-view.ts'

const LIST = '/api/v1/repositories/:repository/merge-requests'
const ONE = `${LIST}/:number`
export const MrParams = InRepository.extend({ number: z.coerce.number().int().min(1) })

/** Merge requests: the only way to change anything. */
export const mergeRequestRoutes: RouteModule<'engine'> = (app, { engine }) => {
  const { parts } = engine
  const tags = ['merge requests']
  type Request = Parameters<typeof repositoryOf>[0] & { params: { number: number } }
  const find = (request: Request) => mrOf(parts, repositoryOf(request), request.params.number)

  app.get(
    LIST,
    {
      config: { action: 'mr.read' },
      schema: {
        tags,
        summary: 'Merge requests, newest first',
        params: InRepository,
        querystring: PageQuery.extend({ state: z.enum(['open', 'merged', 'closed', 'all']).default('open') }),
        response: { 200: pageOf(MrSummary) },
      },
    },
    async (request) => {
      const { limit, cursor, state } = request.query
      const { id, name } = repositoryOf(request)
      const states = state === 'all' ? undefined : state === 'open' ? (['open', 'merging'] as const) : [state]
      const page = await listMergeRequests(
        parts.store.db,
        { repositoryId: id, ...(states && { states }) },
        { limit, cursor },
      )
      return { items: await showSummaries(parts, name, page.items), next: page.next }
    },
  )

  app.post(
    LIST,
    {
      config: { action: 'mr.open' },
      schema: {
        tags,
        summary: 'Open a merge request of a pushed branch',
        params: InRepository,
        body: NewMr,
        response: { 201: MrDetail },
      },
    },
    async (request, reply) => {
      const { id, name, defaultBranch } = repositoryOf(request)
      const { targetBranch = defaultBranch, ...rest } = request.body
      const authorId = principalOf(request).userId
      const forge = await parts.forges.of(id)
      const mr = await forge.changes.open({ ...rest, repositoryId: id, targetBranch, authorId })
      return reply.code(201).send(await showDetail(parts, name, mr))
    },
  )

  app.get(
    ONE,
    {
      config: { action: 'mr.read' },
      schema: { tags, summary: 'One merge request with plans and gate', params: MrParams, response: { 200: MrDetail } },
    },
    async (request) => showDetail(parts, repositoryOf(request).name, await find(request)),
  )

  app.patch(
    ONE,
    {
      config: { action: 'mr.update' },
      schema: {
        tags,
        summary: 'Change title, description or draft',
        params: MrParams,
        body: MrEdit,
        response: { 200: MrDetail },
      },
    },
    async (request) => {
      const { id, repositoryId } = await find(request)
      const forge = await parts.forges.of(repositoryId)
      const mr = await forge.changes.edit(id, principalOf(request).userId, request.body)
      return showDetail(parts, repositoryOf(request).name, mr)
    },
  )

  app.post(
    `${ONE}/reviews`,
    {
      config: { action: 'mr.approve' },
      schema: {
        tags,
        summary: 'Approve, ask for changes or comment; an approval says what was seen, and binds to it',
        params: MrParams,
        body: NewReview,
        response: { 201: MrDetail },
      },
    },
    async (request, reply) => {
      const mr = await find(request)
      const { verdict, body, head, ...rest } = request.body
      const seen = { ...rest, ...(head !== undefined && { head: namedHead(mr, head) }) }
      const { digests, files, rules } = await judge(parts, mr)
      if (verdict === 'approve') await requireStepUp(parts, request, [...rules.keys()])
      if (verdict === 'approve') assertSeen(mr, { digests, files }, seen)
      const forge = await parts.forges.of(mr.repositoryId)
      await forge.reviews.give({
        mrId: mr.id,
        userId: principalOf(request).userId,
        provenAt: principalOf(request).provenAt ?? null,
        verdict,
        body,
        headOid: seen.head ?? mr.headOid,
        // Never what the client names beyond them: a vote for a plan that nobody has seen yet would count when it comes.
        digests,
        files,
      })
      return reply.code(201).send(await showDetail(parts, repositoryOf(request).name, await find(request)))
    },
  )

  app.delete(
    `${ONE}/reviews/mine`,
    {
      config: { action: 'mr.approve' },
      schema: {
        tags,
        summary: 'Take your approval or request for changes back',
        params: MrParams,
        response: { 200: Done },
      },
    },
    async (request) => {
      const { id, repositoryId } = await find(request)
      const forge = await parts.forges.of(repositoryId)
      await forge.reviews.withdraw(id, principalOf(request).userId)
      return { ok: true as const }
    },
  )

  app.post(
    `${ONE}/merge`,
    {
      config: {
        action: 'mr.merge',
        also: (request) => ((request.query as { bypass?: string }).bypass === undefined ? null : 'mr.bypass'),
      },
      schema: {
        tags,
        summary: 'Merge when the gate is open; with ?bypass and a reason also when it is not',
        params: MrParams,
        querystring: z.strictObject({ bypass: z.string().optional() }),
        body: MergeOrder,
        response: { 200: MrDetail },
      },
    },
    async (request) => {
      const mr = await find(request)
      await requireStepUp(parts, request, [...(await judge(parts, mr)).rules.keys()])
      const { squash, bypassReason } = request.body
      // The right to bypass was checked only where the query asked for it, so only then may the reason count.
      const bypass = request.query.bypass === undefined ? undefined : bypassReason
      const actorId = principalOf(request).userId
      const merged = await mergeRequested(parts, {
        mrId: mr.id,
        actorId,
        squash,
        ...(bypass && { bypassReason: bypass }),
      })
      return showDetail(parts, repositoryOf(request).name, merged)
    },
  )

  for (const verb of ['close', 'reopen'] as const) {
    app.post(
      `${ONE}/${verb}`,
      {
        config: { action: 'mr.update' },
        schema: {
          tags,
          summary: `${verb === 'close' ? 'Close' : 'Reopen'} it`,
          params: MrParams,
          response: { 200: MrDetail },
        },
      },
      async (request) => {
        const mr = await find(request)
        const actor = userActor(principalOf(request).userId)
        const { changes } = await parts.forges.of(mr.repositoryId)
        const changed =
          verb === 'close'
            ? await changes.close(mr.id, actor, 'closed by a person')
            : await changes.reopen(mr.id, actor)
        return showDetail(parts, repositoryOf(request).name, changed)
      },
    )
  }

  app.post(
    `${ONE}/plan`,
    {
      config: { action: 'mr.plan' },
      schema: {
        tags,
        summary: 'Look at the plans again; failed ones are made anew',
        params: MrParams,
        response: { 202: Done },
      },
    },
    async (request, reply) => {
      const mr = await find(request)
      await parts.store.transaction((tx) => orderPreview(tx, mr.id, { failedAnew: true }))
      return reply.code(202).send({ ok: true })
    },
  )

  app.get(
    `${ONE}/commits`,
    {
      config: { action: 'mr.read' },
      schema: {
        tags,
        summary: 'Its commits, newest first',
        params: MrParams,
        response: { 200: z.object({ items: z.array(Commit) }) },
      },
    },
    async (request) => {
      const mr = await find(request)
      const commits = await gitOf(parts, mr.repositoryId).log({ from: mr.targetOid, to: mr.headOid, limit: 250 })
      return { items: commits.map(({ oid, author, message }) => ({ oid, author, message })) }
    },
  )

  app.get(
    `${ONE}/diff`,
    {
      config: { action: 'mr.read' },
      schema: {
        tags,
        summary: 'What it changes against where it branched off',
        params: MrParams,
        response: { 200: z.object({ items: z.array(FileDiff) }) },
      },
    },
    async (request) => {
      const mr = await find(request)
      const git = gitOf(parts, mr.repositoryId)
      const base = (await git.mergeBase(mr.targetOid, mr.headOid)) ?? mr.targetOid
      return { items: await git.diff(base, mr.headOid) }
    },
  )
}
