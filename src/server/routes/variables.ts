import { z } from 'zod'
import { deleteVariable, setVariable } from '../../engine/stacks/change-variable.ts'
import { environmentRules } from '../../engine/stacks/environment-rules.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import { findStack } from '../../store/stacks/stacks.ts'
import { listVariables, type Variable as VariableRow } from '../../store/stacks/variables.ts'
import { principalOf, repositoryOf } from '../auth/enforce.ts'
import { PageQuery, pageInMemory, pageOf } from '../pagination.ts'
import type { RouteModule } from '../parts.ts'
import { Done, InRepository } from '../schemas/common.ts'
import { Variable, VariableOrder } from '../schemas/variables.ts'
import { nameOf } from './user-name.ts'

const PATH = '/api/v1/repositories/:repository/variables'

/** Variables and secrets of stacks. Values go in and never come out. */
export const variableRoutes: RouteModule<'engine'> = (app, { engine }) => {
  const { parts } = engine
  const tags = ['variables']

  app.get(
    PATH,
    {
      config: { action: 'variable.list' },
      schema: {
        tags,
        summary: 'Which variables there are, without their values',
        params: InRepository,
        querystring: PageQuery,
        response: { 200: pageOf(Variable) },
      },
    },
    async (request) => {
      const rows = await listVariables(parts.store.db, repositoryOf(request).id)
      const all = await Promise.all(rows.map(show))
      return pageInMemory(all, request.query, (row) =>
        [row.name, row.environment ?? '', row.stack ?? '', row.phase, row.id].join('\n'),
      )
    },
  )

  app.put(
    PATH,
    {
      config: { action: 'variable.write' },
      schema: {
        tags,
        summary: 'Set a variable of the repository, an environment or a stack; deployed stacks are planned with it',
        params: InRepository,
        body: VariableOrder,
        response: { 200: Variable },
      },
    },
    async (request) => {
      const repositoryId = repositoryOf(request).id
      await assertScope(repositoryId, request.body)
      const wish = { ...request.body, repositoryId, actorId: principalOf(request).userId }
      return show(await setVariable(parts, wish))
    },
  )

  app.delete(
    `${PATH}/:variable`,
    {
      config: { action: 'variable.write' },
      schema: {
        tags,
        summary: 'Delete a variable; what used it is planned without it',
        params: InRepository.extend({ variable: z.string().max(100) }),
        response: { 200: Done },
      },
    },
    async (request) => {
      const { id: repositoryId, name } = repositoryOf(request)
      const { variable: variableId } = request.params
      const own = await listVariables(parts.store.db, repositoryId)
      if (!own.some((row) => row.id === variableId)) {
        const next = '`trueup variable list` shows those that there are.'
        const doing = `deleting variable ${variableId} of ${name}`
        throw new TrueupError('NOT_FOUND', { doing, why: 'there is none of this id', next })
      }
      await deleteVariable(parts, { variableId, actorId: principalOf(request).userId })
      return { ok: true as const }
    },
  )

  /** A misspelt scope would keep a secret that no stack ever gets. */
  async function assertScope(
    repositoryId: string,
    { name, environment, stack }: z.output<typeof VariableOrder>,
  ): Promise<void> {
    if (environment === null) return
    const doing = `setting variable "${name}"`
    if ((await environmentRules(parts, repositoryId, environment)) === null) {
      const next = 'Merge the environment first; `trueup env list` shows those that there are.'
      throw new TrueupError('NOT_FOUND', { doing, why: `trueup.yaml has no environment "${environment}"`, next })
    }
    if (stack === null || (await findStack(parts.store.db, { repositoryId, environment, name: stack }))) return
    const next = 'Open the merge request that adds it first; `trueup stack list` shows those that there are.'
    throw new TrueupError('NOT_FOUND', { doing, why: `there is no stack "${environment}/${stack}"`, next })
  }

  async function show(row: VariableRow): Promise<Variable> {
    const { id, name, environment, stack, phase, secret, version, updatedAt } = row
    const updatedBy = await nameOf(parts, row.updatedById)
    return { id, name, environment, stack, phase, secret, version, updatedBy, updatedAt }
  }
}
