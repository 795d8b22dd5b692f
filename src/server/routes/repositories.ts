import { createRepository } from '../../engine/repositories.ts'
import { membershipsOf, roleIn } from '../../store/people/members.ts'
import { allRepositories, getRepository, type Repository as Row } from '../../store/changes/repositories.ts'
import { principalOf, repositoryOf } from '../auth/enforce.ts'
import type { Role } from '../../domain/roles.ts'
import { may, type Principal } from '../auth/permissions.ts'
import { PageQuery, pageInMemory, pageOf } from '../pagination.ts'
import type { RouteModule } from '../parts.ts'
import { InRepository } from '../schemas/common.ts'
import { NewRepository, Repository } from '../schemas/repositories.ts'
import { showRepository } from './repository-view.ts'

export const repositoryRoutes: RouteModule<'store' | 'engine' | 'publicUrl'> = (app, { store, engine, publicUrl }) => {
  const tags = ['repositories']
  const show = (principal: Principal, row: Row, role: Role | null): Promise<Repository> =>
    showRepository({ store, engine, publicUrl }, principal, row, role)

  app.get(
    '/api/v1/repositories',
    {
      config: { action: 'repository.list' },
      schema: {
        tags,
        summary: 'The repositories that you may see',
        querystring: PageQuery,
        response: { 200: pageOf(Repository) },
      },
    },
    async (request) => {
      const principal = principalOf(request)
      const memberships = await membershipsOf(store.db, principal.userId)
      const roles = new Map(memberships.map(({ repositoryId, role }) => [repositoryId, role]))
      const visible: Repository[] = []
      for (const row of await allRepositories(store.db)) {
        const role = roles.get(row.id) ?? null
        const repository = { id: row.id, name: row.name, role }
        if (may(principal, 'repository.read', { repository })) visible.push(await show(principal, row, role))
      }
      return pageInMemory(visible, request.query, (repository) => repository.name)
    },
  )

  app.post(
    '/api/v1/repositories',
    {
      config: { action: 'repository.create' },
      schema: {
        tags,
        summary: 'Make an empty repository; you become its admin',
        body: NewRepository,
        response: { 201: Repository },
      },
    },
    async (request, reply) => {
      const { name, defaultBranch } = request.body
      const principal = principalOf(request)
      const actorId = principal.userId
      const row = await createRepository(engine.parts, { name, defaultBranch, actorId })
      return reply.code(201).send(await show(principal, row, 'admin'))
    },
  )

  app.get(
    '/api/v1/repositories/:repository',
    {
      config: { action: 'repository.read' },
      schema: {
        tags,
        summary: 'One repository',
        params: InRepository,
        response: { 200: Repository },
      },
    },
    async (request) => {
      const { id } = repositoryOf(request)
      const principal = principalOf(request)
      const role = await roleIn(store.db, id, principal.userId)
      return await show(principal, (await getRepository(store.db, id))!, role)
    },
  )
}
