import type { QueryClient } from '@tanstack/react-query'
import {
  environmentsQuery,
  matrixQuery,
  mrQuery,
  mrsQuery,
  overviewQuery,
  repositoriesQuery,
  runQuery,
  runsQuery,
  sessionQuery,
  stackQuery,
  stackResourcesQuery,
} from './api/queries.ts'
import * as search from './search.ts'

type Params = Readonly<Record<string, string | undefined>>

/** What a page asks for first, by the id of its route. */
const FIRST: Readonly<Record<string, (client: QueryClient, params: Params, raw: object) => void>> = {
  '/shell/r/$repository': (client, { repository = '' }, raw) => {
    const filter = search.matrix({ ...raw })
    void client.prefetchQuery(overviewQuery(repository))
    void client.prefetchInfiniteQuery(matrixQuery(repository, { ...filter, sort: filter.sort ?? 'need' }))
    void client.prefetchQuery(environmentsQuery(repository))
    void client.prefetchInfiniteQuery(runsQuery(repository, { state: 'awaiting_approval' }))
    void client.prefetchInfiniteQuery(mrsQuery(repository, 'open'))
  },
  '/shell/r/$repository/mr/$number': (client, { repository = '', number }) => {
    void client.prefetchQuery(mrQuery(repository, Number(number)))
    void client.prefetchQuery(environmentsQuery(repository))
  },
  '/shell/r/$repository/runs/$run': (client, { run = '' }) => void client.prefetchQuery(runQuery(run)),
  '/shell/r/$repository/stacks/$': (client, { repository = '', _splat: stack = '' }) => {
    void client.prefetchQuery(stackQuery(repository, stack))
    void client.prefetchQuery(environmentsQuery(repository))
    void client.prefetchQuery(stackResourcesQuery(repository, stack))
  },
}

/** Asks for what a page shows first, so that the answers come while its code does. */
export const askFirst = (client: QueryClient, route: string, params: Params, raw: object): void =>
  FIRST[route]?.(client, params, raw)

/** What every page but the login needs. */
export function askWho(client: QueryClient): void {
  void client.prefetchQuery(sessionQuery)
  void client.prefetchQuery(repositoriesQuery)
}
