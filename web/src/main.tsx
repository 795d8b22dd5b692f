import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { ApiError } from './api/client.ts'
import { applyTheme } from './app/theme.ts'
import { createAppRouter } from './router.tsx'
import './styles.css'

applyTheme()
const client = new QueryClient({
  defaultOptions: {
    queries: {
      // The stream of changes says when something is old; coming back to the page does not have to guess.
      staleTime: 30_000,
      refetchOnWindowFocus: false,
      // A refusal stays one. A server that is away comes back: it is asked again, less and less often.
      retry: (count, error) =>
        error instanceof ApiError && error.status > 0 && error.status < 500 ? false : count < 5,
      retryDelay: (count) => Math.min(500 * 2 ** count, 8_000),
    },
  },
})
const router = createAppRouter(client)
// The page's code comes while the server is asked who this is, not after it.
for (const { routeId } of router.matchRoutes(router.latestLocation))
  void router.loadRouteChunk(router.routesById[routeId as keyof typeof router.routesById])

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <QueryClientProvider client={client}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  </StrictMode>,
)
