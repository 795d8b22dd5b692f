import { connectRepository, disconnectRepository, rotateConnection } from '../../engine/connections/connect.ts'
import { lookAtForge } from '../../engine/connections/looks.ts'
import { getRepository } from '../../store/changes/repositories.ts'
import { roleIn } from '../../store/people/members.ts'
import { principalOf, repositoryOf } from '../auth/enforce.ts'
import type { RouteModule } from '../parts.ts'
import { InRepository } from '../schemas/common.ts'
import { Disconnected, NewConnection, NewConnectionToken, Repository } from '../schemas/repositories.ts'
import { showRepository } from './repository-view.ts'

/** A delivery says that something happened; more than this says no more. Bytes. */
const MAX_DELIVERY = 8 * 1024 * 1024

/** Repositories whose merge requests live on another forge. */
export const connectionRoutes: RouteModule<'store' | 'engine' | 'publicUrl'> = (app, { store, engine, publicUrl }) => {
  const tags = ['repositories']
  const show = async (request: Parameters<typeof principalOf>[0], id: string): Promise<Repository> => {
    const principal = principalOf(request)
    const role = await roleIn(store.db, id, principal.userId)
    return await showRepository({ store, engine, publicUrl }, principal, (await getRepository(store.db, id))!, role)
  }

  app.post(
    '/api/v1/connections',
    {
      config: { action: 'repository.create' },
      schema: {
        tags,
        summary: 'Connect a repository of another forge',
        description: 'Asks first what the token may do there, and writes nothing where something is missing.',
        body: NewConnection,
        response: { 201: Repository },
      },
    },
    async (request, reply) => {
      const actorId = principalOf(request).userId
      const { id } = await connectRepository(engine.parts, { ...request.body, actorId })
      return reply.code(201).send(await show(request, id))
    },
  )

  const ONE = '/api/v1/repositories/:repository/connection'
  app.put(
    `${ONE}/token`,
    {
      config: { action: 'repository.connect' },
      schema: {
        tags,
        summary: 'Give the connection another token, and its webhook another secret',
        params: InRepository,
        body: NewConnectionToken,
        response: { 200: Repository },
      },
    },
    async (request) => {
      const { id: repositoryId } = repositoryOf(request)
      const actorId = principalOf(request).userId
      await rotateConnection(engine.parts, { repositoryId, token: request.body.token, actorId })
      return await show(request, repositoryId)
    },
  )

  app.post(
    `${ONE}/look`,
    {
      config: { action: 'mr.plan' },
      schema: { tags, summary: 'Look at the forge now', params: InRepository, response: { 200: Repository } },
    },
    async (request) => {
      const { id } = repositoryOf(request)
      await lookAtForge(engine.parts, id)
      return await show(request, id)
    },
  )

  app.delete(
    ONE,
    {
      config: { action: 'repository.connect' },
      schema: {
        tags,
        summary: 'Take the connection away; the repository is hosted here from then on',
        params: InRepository,
        response: { 200: Disconnected },
      },
    },
    async (request) => {
      const { id: repositoryId } = repositoryOf(request)
      const actorId = principalOf(request).userId
      const webhookLeft = await disconnectRepository(engine.parts, { repositoryId, actorId })
      return { repository: await show(request, repositoryId), webhookLeft }
    },
  )

  void app.register(async (scope) => {
    // What is signed are the bytes: nothing may read them before.
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
    scope.post(
      '/api/v1/forge-hooks/:id',
      { bodyLimit: MAX_DELIVERY, config: { action: 'public' }, schema: { hide: true } as object },
      async (request, reply) => {
        const { id } = request.params as { id: string }
        const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
        await engine.parts.forges.connections.deliver(id, request.headers, body)
        return reply.code(202).send()
      },
    )
  })
}
