import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { ApiError } from './api/client.ts'
import { applyTheme } from './app/theme.ts'
import { askFirst, askWho } from './first-data.ts'
import { createAppRouter } from './router.tsx'
import './styles.css'
// Small parts of nearly every page: in the first script, not in files that wait for one another's connections.
import './ui/more.tsx'
import './ui/row-links.ts'
import './ui/status.tsx'
import './ui/summary.tsx'
import './ui/tabs.tsx'
import './ui/time.tsx'

/** What asking again does not change: a refusal, and a repository that somebody has to mend. */
const isFinal = ({ status, body }: ApiError): boolean =>
  (status > 0 && status < 500) || body.code === 'REPOSITORY_UNUSABLE'

applyTheme()
const client = new QueryClient({
  defaultOptions: {
    queries: {
      // The stream of changes says when something is old; coming back to the page does not have to guess.
      staleTime: 30_000,
      refetchOnWindowFocus: false,
      // A refusal stays one. A server that is away comes back: it is asked again, less and less often.
      retry: (count, error) => !(error instanceof ApiError && isFinal(error)) && count < 5,
      retryDelay: (count) => Math.min(500 * 2 ** count, 8_000),
    },
  },
})
const router = createAppRouter(client)
// Who this is, the page's code and its data come at the same time, not one after the other.
const { latestLocation } = router
if (latestLocation.pathname !== '/login') askWho(client)
for (const { routeId, params } of router.matchRoutes(latestLocation)) {
  askFirst(client, routeId, params, latestLocation.search)
  void router.loadRouteChunk(router.routesById[routeId as keyof typeof router.routesById])
}
// Taken by now. What is left was asked for in vain, and would be old, or somebody else's, when it is wanted.
window.setTimeout(() => window.trueupAhead?.clear())

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <QueryClientProvider client={client}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  </StrictMode>,
)
