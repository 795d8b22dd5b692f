import type { QueryClient } from '@tanstack/react-query'
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from '@tanstack/react-router'
import { ApiError } from './api/client.ts'
import { repositoriesQuery, sessionQuery } from './api/queries.ts'
import { NotFound, PageError } from './app/page-error.tsx'
import { Shell } from './app/shell.tsx'
import { Waiting } from './ui/load.tsx'
import { askFirst } from './first-data.ts'
import * as search from './search.ts'

const root = createRootRouteWithContext<{ client: QueryClient }>()({ component: Outlet })

const login = createRoute({
  getParentRoute: () => root,
  path: '/login',
  validateSearch: search.login,
  component: lazyRouteComponent(() => import('./pages/login.tsx'), 'LoginPage'),
})

/** Everything that needs a person: without a session it leads to the login and back. */
const shell = createRoute({
  getParentRoute: () => root,
  id: 'shell',
  component: Shell,
  beforeLoad: async ({ context: { client }, location }) => {
    try {
      await Promise.all([client.ensureQueryData(sessionQuery), client.ensureQueryData(repositoriesQuery)])
    } catch (error) {
      if (error instanceof ApiError && error.status === 401)
        throw redirect({ to: '/login', search: { to: location.href } })
      throw error
    }
  },
})

const home = createRoute({
  getParentRoute: () => shell,
  path: '/',
  beforeLoad: async ({ context: { client } }) => {
    const { items } = await client.ensureQueryData(repositoriesQuery)
    if (items.length > 0) throw redirect({ to: '/r/$repository', params: { repository: items[0]!.name } })
  },
  component: lazyRouteComponent(() => import('./pages/first-visit.tsx'), 'FirstVisitPage'),
})

const overview = createRoute({
  getParentRoute: () => shell,
  path: '/r/$repository',
  validateSearch: search.matrix,
  // Once, while the page's code is still on its way; afterwards the stream of changes says what is old.
  staleTime: Number.POSITIVE_INFINITY,
  loader: ({ context: { client }, route: { id }, params, location: { search: raw } }) =>
    askFirst(client, id, params, raw),
  component: lazyRouteComponent(() => import('./pages/overview.tsx'), 'OverviewPage'),
})
const mrs = createRoute({
  getParentRoute: () => shell,
  path: '/r/$repository/mr',
  validateSearch: search.mrs,
  component: lazyRouteComponent(() => import('./pages/mr-list.tsx'), 'MrListPage'),
})
const mr = createRoute({
  getParentRoute: () => shell,
  path: '/r/$repository/mr/$number',
  validateSearch: search.mr,
  staleTime: Number.POSITIVE_INFINITY,
  loader: ({ context: { client }, route: { id }, params, location: { search: raw } }) =>
    askFirst(client, id, params, raw),
  component: lazyRouteComponent(() => import('./pages/mr/page.tsx'), 'MrPage'),
})
const stack = createRoute({
  getParentRoute: () => shell,
  path: '/r/$repository/stacks/$',
  validateSearch: search.stack,
  staleTime: Number.POSITIVE_INFINITY,
  loader: ({ context: { client }, route: { id }, params, location: { search: raw } }) =>
    askFirst(client, id, params, raw),
  component: lazyRouteComponent(() => import('./pages/stack/page.tsx'), 'StackPage'),
})
const runs = createRoute({
  getParentRoute: () => shell,
  path: '/r/$repository/runs',
  validateSearch: search.runs,
  component: lazyRouteComponent(() => import('./pages/run-list.tsx'), 'RunListPage'),
})
const run = createRoute({
  getParentRoute: () => shell,
  path: '/r/$repository/runs/$run',
  validateSearch: search.run,
  staleTime: Number.POSITIVE_INFINITY,
  loader: ({ context: { client }, route: { id }, params, location: { search: raw } }) =>
    askFirst(client, id, params, raw),
  component: lazyRouteComponent(() => import('./pages/run/page.tsx'), 'RunPage'),
})
const drift = createRoute({
  getParentRoute: () => shell,
  path: '/r/$repository/drift',
  validateSearch: search.drift,
  component: lazyRouteComponent(() => import('./pages/drift.tsx'), 'DriftPage'),
})
const deployments = createRoute({
  getParentRoute: () => shell,
  path: '/r/$repository/deployments',
  validateSearch: search.deployments,
  component: lazyRouteComponent(() => import('./pages/deployments.tsx'), 'DeploymentsPage'),
})
const places = createRoute({
  getParentRoute: () => shell,
  path: '/r/$repository/places',
  validateSearch: search.places,
  component: lazyRouteComponent(() => import('./pages/places.tsx'), 'PlacesPage'),
})
const dependencies = createRoute({
  getParentRoute: () => shell,
  path: '/r/$repository/dependencies',
  validateSearch: search.dependencies,
  component: lazyRouteComponent(() => import('./pages/dependencies.tsx'), 'DependenciesPage'),
})
const workers = createRoute({
  getParentRoute: () => shell,
  path: '/workers',
  component: lazyRouteComponent(() => import('./pages/workers.tsx'), 'WorkersPage'),
})
const audit = createRoute({
  getParentRoute: () => shell,
  path: '/audit',
  validateSearch: search.audit,
  component: lazyRouteComponent(() => import('./pages/audit.tsx'), 'AuditPage'),
})
const settings = createRoute({
  getParentRoute: () => shell,
  path: '/settings',
  validateSearch: search.settings,
  component: lazyRouteComponent(() => import('./pages/settings/page.tsx'), 'SettingsPage'),
})

const tree = root.addChildren([
  login,
  shell.addChildren([
    home,
    overview,
    mrs,
    mr,
    stack,
    runs,
    run,
    drift,
    deployments,
    places,
    dependencies,
    workers,
    audit,
    settings,
  ]),
])

export const createAppRouter = (client: QueryClient) =>
  createRouter({
    routeTree: tree,
    context: { client },
    defaultPreload: 'intent',
    defaultPendingMs: 150,
    defaultPendingComponent: Waiting,
    defaultErrorComponent: PageError,
    defaultNotFoundComponent: NotFound,
    scrollRestoration: true,
  })

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof createAppRouter>
  }
}
