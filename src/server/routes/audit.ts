import { Readable } from 'node:stream'
import { z } from 'zod'
import type { AuditEvent as AuditRow } from '../../store/audit/audit.ts'
import { listAudit } from '../../store/audit/list.ts'
import { auditArchives } from '../../store/audit/chain.ts'
import { resealAudit } from '../../store/audit/reseal.ts'
import { refuseKeptThatLeft } from '../../store/audit/verify.ts'
import type { Queries } from '../../store/database/context.ts'
import type { DataKeys } from '../../store/database/keys.ts'
import type { Store } from '../../store/open.ts'
import { exportAuditAside, verifyAuditAside } from '../../store/reading/reading.ts'
import { findUserByName, getUser } from '../../store/people/users.ts'
import { getWorker } from '../../store/workers/workers.ts'
import { principalOf, repositoryOf } from '../auth/enforce.ts'
import { type Page, PageQuery, pageOf } from '../pagination.ts'
import type { RouteModule } from '../parts.ts'
import { InRepository } from '../schemas/common.ts'
import { AuditArchives, AuditEvent, AuditVerdict, ResealRequest, VerifyRequest } from '../schemas/operations.ts'

const Filter = PageQuery.extend({
  actor: z.string().max(200).optional().meta({ description: 'name of a person, user:ID, worker:ID or system' }),
  /** Exact, or a prefix that ends with a dot. */
  action: z.string().max(100).optional(),
  subject: z.string().max(200).optional(),
  from: z.coerce.number().int().optional(),
  until: z.coerce.number().int().optional(),
})

/** The audit trail. Reading it whole is for administrators; a repository's part is for its maintainers. */
export const auditRoutes: RouteModule<'store' | 'keys'> = (app, { store, keys }) => {
  const tags = ['audit']

  app.get(
    '/api/v1/audit',
    {
      config: { action: 'audit.read' },
      schema: { tags, summary: 'Events, newest first', querystring: Filter, response: { 200: pageOf(AuditEvent) } },
    },
    async (request) => {
      return withNames(store.db, await eventsOf(store.db, request.query))
    },
  )

  app.get(
    '/api/v1/repositories/:repository/audit',
    {
      config: { action: 'repository.audit' },
      schema: {
        tags,
        summary: 'Events of one repository, newest first',
        params: InRepository,
        querystring: Filter,
        response: { 200: pageOf(AuditEvent) },
      },
    },
    async (request) => {
      return withNames(store.db, await eventsOf(store.db, request.query, repositoryOf(request).id))
    },
  )

  app.post(
    '/api/v1/audit/verify',
    {
      config: { action: 'audit.read' },
      schema: {
        tags,
        summary: 'Recompute the whole chain, and check that it passes through a head that was kept elsewhere',
        body: VerifyRequest,
        response: { 200: AuditVerdict },
      },
    },
    async (request) => {
      const kept = request.body?.kept
      if (kept) await refuseKeptThatLeft(store.db, kept)
      return verdictOf(store, keys, kept)
    },
  )

  app.get(
    '/api/v1/audit/archives',
    {
      config: { action: 'audit.read' },
      schema: {
        tags,
        summary: 'Parts of the chain that left the database, each with its signed checkpoint',
        response: { 200: AuditArchives },
      },
    },
    async () => {
      const archives = await auditArchives(store.db)
      return { keyId: keys.auditKeyId, publicKey: keys.auditPublicKey, archives }
    },
  )

  app.post(
    '/api/v1/audit/reseal',
    {
      config: { action: 'audit.reseal' },
      schema: {
        tags,
        summary:
          'Continue a broken chain with a signed event that names its breaks; answers what verification says then',
        body: ResealRequest,
        response: { 200: AuditVerdict },
      },
    },
    async (request) => {
      const actor = `user:${principalOf(request).userId}`
      await store.transaction((tx) => resealAudit(tx, keys, { actor, reason: request.body.reason }))
      return verdictOf(store, keys)
    },
  )

  app.get(
    '/api/v1/audit/export',
    {
      config: { action: 'audit.export' },
      schema: {
        tags,
        summary: 'The chain as JSON lines, oldest first, with every column that enters the hashes',
        querystring: z.strictObject({
          from: z.coerce
            .number()
            .int()
            .min(1)
            .default(1)
            .meta({ description: 'first event; what left is not among them' }),
        }),
      },
    },
    async (request, reply) =>
      reply.type('application/jsonl; charset=utf-8').send(Readable.from(exportAuditAside(store, request.query.from))),
  )
}

async function verdictOf(
  store: Store,
  keys: DataKeys,
  kept?: { seq: number; hash: string },
): Promise<z.infer<typeof AuditVerdict>> {
  const verdict = await verifyAuditAside(store, keys, kept)
  const reseals = []
  for (const reseal of verdict.reseals)
    reseals.push({ ...reseal, actorName: await nameOfActor(store.db, reseal.actor) })
  return { ...verdict, reseals }
}

async function eventsOf(
  db: Queries,
  { limit, cursor, actor, ...filter }: z.infer<typeof Filter>,
  repositoryId?: string,
): Promise<Page<AuditRow>> {
  const isName = actor !== undefined && actor !== 'system' && !actor.includes(':')
  const person = isName ? await findUserByName(db, actor) : undefined
  const by = person ? `user:${person.id}` : actor
  return listAudit(
    db,
    { ...filter, ...(by && { actor: by }), ...(repositoryId && { repositoryId }) },
    { limit, cursor },
  )
}

/** The chain holds ids, which outlive renames; people read names. */
async function withNames(db: Queries, { items, next }: Page<AuditRow>): Promise<Page<AuditEvent>> {
  const names = new Map<string, string | null>()
  for (const { actor } of items) if (!names.has(actor)) names.set(actor, await nameOfActor(db, actor))
  return { items: items.map((event) => ({ ...event, actorName: names.get(event.actor) ?? null })), next }
}

async function nameOfActor(db: Queries, actor: string): Promise<string | null> {
  const [kind, id = ''] = actor.split(':')
  const found = kind === 'user' ? await getUser(db, id) : kind === 'worker' ? await getWorker(db, id) : undefined
  return found?.name ?? null
}
