import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query'
import { api, ask, type Schemas } from './client.ts'

const PAGE = 100
type StackState = Schemas['StackState']

export const sessionQuery = queryOptions({
  queryKey: ['session'],
  queryFn: () => ask(api.GET('/api/v1/session')),
  staleTime: 60_000,
  retry: false,
})

export const repositoriesQuery = queryOptions({
  queryKey: ['repositories'],
  queryFn: () => ask(api.GET('/api/v1/repositories', { params: { query: { limit: 200 } } })),
  select: (page) => page.items,
})

export const overviewQuery = (repository: string) =>
  queryOptions({
    queryKey: ['overview', repository],
    queryFn: () => ask(api.GET('/api/v1/repositories/{repository}/overview', { params: { path: { repository } } })),
  })

export const environmentsQuery = (repository: string) =>
  queryOptions({
    queryKey: ['environments', repository],
    queryFn: () =>
      ask(
        api.GET('/api/v1/repositories/{repository}/environments', {
          params: { path: { repository }, query: { limit: 200 } },
        }),
      ),
    select: (page) => page.items,
  })

export interface MatrixFilter {
  q?: string
  state?: StackState
  driver?: string
  environment?: string
  sort?: 'need' | 'name'
}

export const matrixQuery = (repository: string, filter: MatrixFilter) =>
  infiniteQueryOptions({
    queryKey: ['matrix', repository, filter],
    queryFn: ({ pageParam }) =>
      ask(
        api.GET('/api/v1/repositories/{repository}/matrix', {
          params: { path: { repository }, query: { ...filter, limit: 200, ...(pageParam && { cursor: pageParam }) } },
        }),
      ),
    initialPageParam: '',
    getNextPageParam: (page) => page.next,
    placeholderData: keepPreviousData,
  })

export const mrsQuery = (repository: string, state: 'open' | 'merged' | 'closed' | 'all') =>
  infiniteQueryOptions({
    queryKey: ['mrs', repository, state],
    queryFn: ({ pageParam }) =>
      ask(
        api.GET('/api/v1/repositories/{repository}/merge-requests', {
          params: {
            path: { repository },
            query: { limit: PAGE, state, ...(pageParam && { cursor: pageParam }) },
          },
        }),
      ),
    initialPageParam: '',
    getNextPageParam: (page) => page.next,
    placeholderData: keepPreviousData,
  })

const mrPath = (repository: string, number: number) => ({ params: { path: { repository, number } } })

export const mrQuery = (repository: string, number: number) =>
  queryOptions({
    queryKey: ['mr', repository, number],
    queryFn: () =>
      ask(api.GET('/api/v1/repositories/{repository}/merge-requests/{number}', mrPath(repository, number))),
  })

export const mrDiffQuery = (repository: string, number: number, head: string) =>
  queryOptions({
    queryKey: ['mr-diff', repository, number, head],
    queryFn: () =>
      ask(api.GET('/api/v1/repositories/{repository}/merge-requests/{number}/diff', mrPath(repository, number))),
    select: ({ items }) => items,
    staleTime: Number.POSITIVE_INFINITY,
  })

/** `head` only makes it look again when the merge request moves. */
export const mrFileQuery = (repository: string, number: number, path: string, head: string) =>
  queryOptions({
    queryKey: ['mr-file', repository, number, path, head],
    queryFn: () =>
      ask(
        api.GET('/api/v1/repositories/{repository}/merge-requests/{number}/file', {
          params: { path: { repository, number }, query: { path } },
        }),
      ),
    placeholderData: keepPreviousData,
  })

export const mrCommitsQuery = (repository: string, number: number, head: string) =>
  queryOptions({
    queryKey: ['mr-commits', repository, number, head],
    queryFn: () =>
      ask(api.GET('/api/v1/repositories/{repository}/merge-requests/{number}/commits', mrPath(repository, number))),
    select: ({ items }) => items,
    staleTime: Number.POSITIVE_INFINITY,
  })

export const commentsQuery = (repository: string, number: number) =>
  queryOptions({
    queryKey: ['comments', repository, number],
    queryFn: () =>
      ask(api.GET('/api/v1/repositories/{repository}/merge-requests/{number}/comments', mrPath(repository, number))),
    select: ({ items }) => items,
  })

export const runQuery = (run: string) =>
  queryOptions({
    queryKey: ['run', run],
    queryFn: () => ask(api.GET('/api/v1/runs/{run}', { params: { path: { run } } })),
  })

export interface RunFilter {
  stackId?: string
  mr?: number
  kind?: Schemas['RunKind']
  state?: Schemas['RunState']
}
export const runsQuery = (repository: string, filter: RunFilter) =>
  infiniteQueryOptions({
    queryKey: ['runs', repository, filter],
    queryFn: ({ pageParam }) =>
      ask(
        api.GET('/api/v1/repositories/{repository}/runs', {
          params: { path: { repository }, query: { ...filter, limit: PAGE, ...(pageParam && { cursor: pageParam }) } },
        }),
      ),
    initialPageParam: '',
    getNextPageParam: (page) => page.next,
    placeholderData: keepPreviousData,
  })

export const stackQuery = (repository: string, stack: string) =>
  queryOptions({
    queryKey: ['stack', repository, stack],
    queryFn: () =>
      ask(api.GET('/api/v1/repositories/{repository}/stack', { params: { path: { repository }, query: { stack } } })),
  })

export interface PlaceFilter {
  q?: string
  environment?: string
  stack?: string
}
export const placesQuery = (repository: string, filter: PlaceFilter) =>
  infiniteQueryOptions({
    queryKey: ['places', repository, filter],
    queryFn: ({ pageParam }) =>
      ask(
        api.GET('/api/v1/repositories/{repository}/places', {
          params: { path: { repository }, query: { ...filter, limit: PAGE, ...(pageParam && { cursor: pageParam }) } },
        }),
      ),
    initialPageParam: '',
    getNextPageParam: (page) => page.next,
    placeholderData: keepPreviousData,
  })

export const stackResourcesQuery = (repository: string, stack: string) =>
  queryOptions({
    queryKey: ['stack', repository, stack, 'resources'],
    queryFn: () =>
      ask(
        api.GET('/api/v1/repositories/{repository}/resources', { params: { path: { repository }, query: { stack } } }),
      ),
  })

export const stateQuery = (repository: string, stack: string) =>
  queryOptions({
    queryKey: ['stack', repository, stack, 'state'],
    queryFn: () =>
      ask(api.GET('/api/v1/repositories/{repository}/state', { params: { path: { repository }, query: { stack } } })),
  })

/** What the version `to` of a state changed. It is on record who asks, so it is asked for only when somebody wants it. */
export const stateDiffQuery = (repository: string, stack: string, from: number, to: number) =>
  queryOptions({
    queryKey: ['state-diff', repository, stack, from, to],
    queryFn: () =>
      ask(
        api.GET('/api/v1/repositories/{repository}/state/diff', {
          params: { path: { repository }, query: { stack, from, to } },
        }),
      ),
    staleTime: Number.POSITIVE_INFINITY,
  })

export const stacksQuery = (repository: string, filter: { environment?: string; state?: StackState }) =>
  queryOptions({
    queryKey: ['stacks', repository, filter],
    queryFn: () =>
      ask(
        api.GET('/api/v1/repositories/{repository}/stacks', {
          params: { path: { repository }, query: { limit: 200, ...filter } },
        }),
      ),
    placeholderData: keepPreviousData,
  })

export const deploymentsQuery = (repository: string, { stack, mr }: { stack?: string; mr?: number } = {}) =>
  infiniteQueryOptions({
    queryKey: ['deployments', repository, stack ?? '', mr ?? 0],
    queryFn: ({ pageParam }) =>
      ask(
        api.GET('/api/v1/repositories/{repository}/deployments', {
          params: {
            path: { repository },
            query: { limit: PAGE, ...(stack && { stack }), ...(mr && { mr }), ...(pageParam && { cursor: pageParam }) },
          },
        }),
      ),
    initialPageParam: '',
    getNextPageParam: (page) => page.next,
  })

export const deliveryQuery = (repository: string, days: number) =>
  queryOptions({
    queryKey: ['metrics', repository, days],
    queryFn: () =>
      ask(api.GET('/api/v1/repositories/{repository}/delivery', { params: { path: { repository }, query: { days } } })),
    placeholderData: keepPreviousData,
  })

export interface DriftFilter {
  stack?: string
  environment?: string
  state?: Schemas['DriftState'] | 'all'
}
export const driftQuery = (repository: string, filter: DriftFilter) =>
  infiniteQueryOptions({
    queryKey: ['drift', repository, filter],
    queryFn: ({ pageParam }) =>
      ask(
        api.GET('/api/v1/repositories/{repository}/drift', {
          params: { path: { repository }, query: { ...filter, limit: 200, ...(pageParam && { cursor: pageParam }) } },
        }),
      ),
    initialPageParam: '',
    getNextPageParam: (page) => page.next,
    placeholderData: keepPreviousData,
  })

export const workersQuery = queryOptions({
  queryKey: ['workers'],
  queryFn: () => ask(api.GET('/api/v1/workers', { params: { query: { limit: 200 } } })),
  select: (page) => page.items,
})

export const queuesQuery = queryOptions({
  queryKey: ['workers', 'queues'],
  queryFn: () => ask(api.GET('/api/v1/workers/queues')),
  select: (page) => page.items,
})

export const serverQuery = queryOptions({
  queryKey: ['server'],
  queryFn: () => ask(api.GET('/api/v1/server')),
  staleTime: 60_000,
})
