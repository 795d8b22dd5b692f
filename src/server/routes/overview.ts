import { countStacksByStatus } from '../../store/stacks/stacks.ts'
import { repositoryOf } from '../auth/enforce.ts'
import type { RouteModule } from '../parts.ts'
import { InRepository } from '../schemas/common.ts'
import { Overview } from '../schemas/environments.ts'
import { environmentsOf } from './environment-view.ts'

/** A repository at a glance, at the price of one query, whatever the number of stacks. */
export const overviewRoutes: RouteModule<'engine'> = (app, { engine: { parts } }) => {
  app.get(
    '/api/v1/repositories/:repository/overview',
    {
      config: { action: 'stack.read' },
      schema: {
        tags: ['stacks'],
        summary: 'How many stacks of each environment have which state',
        params: InRepository,
        response: { 200: Overview },
      },
    },
    async (request) => {
      const { id, name: repository } = repositoryOf(request)
      const counts = await countStacksByStatus(parts.store.db, id)
      // What was counted is known although the rules cannot be read.
      const rules = parts.unusable.why(id) === null ? await environmentsOf(parts, id) : []
      const known = new Map(rules.map((row) => [row.name, row]))
      const names = [...new Set([...known.keys(), ...counts.map((row) => row.environment)])].sort()
      const environments = names.map((name) => {
        const states = counts.filter((row) => row.environment === name)
        return {
          name,
          stacks: sum(states),
          states: states.map(({ status: state, count }) => ({ state, count })),
          deployments: known.get(name)?.deployments ?? null,
          notices: known.get(name)?.notices ?? [],
        }
      })
      return { repository, stacks: sum(counts), environments }
    },
  )
}

const sum = (rows: readonly { count: number }[]): number => rows.reduce((total, { count }) => total + count, 0)
