import { z } from 'zod'
import { wordsOf } from '../../domain/facets.ts'
import { type MatrixCell, stackMatrix } from '../../store/stacks/matrix.ts'
import { repositoryOf } from '../auth/enforce.ts'
import { PageQuery, pageOf } from '../pagination.ts'
import type { RouteModule } from '../parts.ts'
import { InRepository } from '../schemas/common.ts'
import { FoundByQuery, MatrixRow, StackState } from '../schemas/stacks.ts'

/** Stacks of equal name beside each other, one a column of environments: the overview of a large repository. */
export const matrixRoutes: RouteModule<'store'> = (app, { store }) => {
  app.get(
    '/api/v1/repositories/:repository/matrix',
    {
      config: { action: 'stack.read' },
      schema: {
        tags: ['stacks'],
        summary: 'Stacks by name, each with its state in every environment',
        params: InRepository,
        querystring: PageQuery.extend({
          ...FoundByQuery,
          environment: z.string().max(63).optional(),
          state: StackState.optional(),
          sort: z.enum(['need', 'name']).default('name'),
        }),
        response: { 200: pageOf(MatrixRow) },
      },
    },
    async (request) => {
      const { limit, cursor, q, state, ...rest } = request.query
      const repositoryId = repositoryOf(request).id
      const filter = { ...rest, repositoryId, ...(q && { text: q }), ...(state && { status: state }) }
      const page = await stackMatrix(store.db, filter, { limit, cursor })
      const items = page.items.map((row) => ({ ...row, cells: row.cells.map(shown) }))
      return { items, next: page.next }
    },
  )
}

const shown = ({ facets, tools, status: state, statusReason: stateReason, ...cell }: MatrixCell) => ({
  ...cell,
  state,
  stateReason,
  facets: wordsOf(facets),
  tools: wordsOf(tools),
})
