import { useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { lazy, Suspense } from 'react'
import { overviewQuery, stacksQuery } from '../api/queries.ts'
import { t } from '../strings/server.ts'
import { Empty, PageHead, Panel } from '../ui/basics.tsx'
import { Loaded, Waiting } from '../ui/load.tsx'

const Graph = lazy(() => import('./dependency-graph.tsx').then(({ DependencyGraph }) => ({ default: DependencyGraph })))
const route = getRouteApi('/shell/r/$repository/dependencies')

/** Which stack needs which, in the colours of their states. */
export function DependenciesPage() {
  const { repository } = route.useParams()
  const { environment } = route.useSearch()
  const navigate = route.useNavigate()
  const overview = useQuery(overviewQuery(repository)).data
  const names = overview?.environments.map(({ name }) => name) ?? []
  const shown = environment ?? names[0]
  const query = useQuery({ ...stacksQuery(repository, { environment: shown }), enabled: shown !== undefined })
  const all = overview?.environments.find(({ name }) => name === shown)?.stacks ?? 0
  return (
    <>
      <PageHead title={t.dependencies} lead={t.anArrowLeadsFromWhat}>
        {names.length > 0 && (
          <select
            aria-label={t.environment}
            value={shown ?? ''}
            onChange={(event) => void navigate({ search: { environment: event.target.value }, replace: true })}
          >
            {names.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        )}
      </PageHead>
      {overview && shown === undefined ? (
        <Panel>
          <Empty title={t.noEnvironmentsYet}>{t.theFirstPushBringsThe}</Empty>
        </Panel>
      ) : (
        <Loaded query={query} lines={10}>
          {({ items, next }) => (
            <>
              {next !== null && (
                <p className="mb-2 rounded border border-warn/40 bg-warn-soft px-3 py-1.5">
                  {t.theFirstOfStacksAre(items.length, all.toLocaleString())}
                </p>
              )}
              {items.length === 0 ? (
                <Panel>
                  <Empty title={t.noStacksHere}>{t.thisEnvironmentHasNoneYet}</Empty>
                </Panel>
              ) : (
                <Suspense fallback={<Waiting lines={10} />}>
                  <Graph key={shown} repository={repository} stacks={items} />
                </Suspense>
              )}
            </>
          )}
        </Loaded>
      )}
    </>
  )
}
