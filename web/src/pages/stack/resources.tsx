import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { useVirtualizer } from '@tanstack/react-virtual'
import { lazy, Suspense, useMemo, useRef } from 'react'
import { api, ask, type Schemas } from '../../api/client.ts'
import { stackResourcesQuery } from '../../api/queries.ts'
import { useWhyNot } from '../../app/session.tsx'
import { t } from '../../strings/stack.ts'
import { healthLook } from '../../text.ts'
import { Button, Panel } from '../../ui/basics.tsx'
import { ErrorNote, Waiting } from '../../ui/load.tsx'
import { Mark } from '../../ui/status.tsx'
import type { Resource } from './resource-tree.ts'

const Graph = lazy(() => import('./resource-graph.tsx').then(({ ResourceGraph }) => ({ default: ResourceGraph })))
const route = getRouteApi('/shell/r/$repository/stacks/$')
const ROW_PX = 30

/** What the stack is made of, as far as it is known by name, and how each part is; as a list or as a graph. */
export function Resources({ repository, stack }: { repository: string; stack: Schemas['StackDetail'] }) {
  const key = `${stack.environment}/${stack.name}`
  const { view = 'list' } = route.useSearch()
  const navigate = route.useNavigate()
  const found = useQuery(stackResourcesQuery(repository, key))
  const state = useStateObjects(repository, stack)
  const resources = useMemo(() => withState(found.data?.items ?? [], state), [found.data, state])
  const needs = useMemo(() => new Map(state.map(({ address, needs: needed }) => [address, needed])), [state])
  if (found.error) return <ErrorNote error={found.error} />
  if (resources.length === 0) return null
  const { more = 0, checked = null } = found.data ?? {}
  const unnamed = checked === null ? 0 : Math.max(checked - resources.length - more, 0)
  return (
    <Panel
      title={t.resourcesIt((resources.length + more).toLocaleString())}
      flush
      aside={
        <Button
          aria-pressed={view === 'graph'}
          onClick={() =>
            void navigate({
              search: view === 'graph' ? {} : { view: 'graph' },
              replace: true,
              resetScroll: false,
            })
          }
        >
          {view === 'graph' ? t.showAsList : t.showAsGraph}
        </Button>
      }
    >
      {view === 'graph' ? (
        <Suspense fallback={<Waiting lines={6} />}>
          <Graph
            repository={repository}
            resources={resources}
            needs={needs}
            dotted={stack.driver === 'terraform' || stack.driver === 'cloudformation'}
          />
        </Suspense>
      ) : (
        <ResourceList repository={repository} resources={resources} />
      )}
      {(more > 0 || unnamed > 0) && (
        <p className="border-t border-line px-3 py-1.5 text-sm text-muted">
          {more > 0 && t.moreAreLeftOutHere(more.toLocaleString())}
          {unnamed > 0 && t.moreWereLookedAtNothing(unnamed.toLocaleString())}
        </p>
      )}
    </Panel>
  )
}

function ResourceList({ repository, resources }: { repository: string; resources: readonly Resource[] }) {
  const scroller = useRef<HTMLDivElement>(null)
  const virtual = useVirtualizer({
    count: resources.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    overscan: 12,
  })
  return (
    <div ref={scroller} className="max-h-80 overflow-y-auto" tabIndex={0} role="region" aria-label={t.resources}>
      <ul className="relative" style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map(({ index, start }) => {
          const { address, why, health, run } = resources[index]!
          const look = healthLook(health)
          return (
            <li
              key={address}
              aria-setsize={resources.length}
              aria-posinset={index + 1}
              className="absolute inset-x-0 flex items-center gap-2 border-b border-line px-3"
              style={{ height: ROW_PX, transform: `translateY(${start}px)` }}
            >
              <Mark look={look} label />
              <code className="min-w-0 shrink-0 truncate max-w-[60%]" title={address}>
                {address}
              </code>
              {why && (
                <span className="truncate text-muted" title={why}>
                  {why}
                </span>
              )}
              {run && (
                <Link
                  to="/r/$repository/runs/$run"
                  params={{ repository, run }}
                  className="ml-auto shrink-0 text-sm text-muted hover:underline"
                >
                  {t.lastRun}
                </Link>
              )}
            </li>
          )
        })}
      </ul>
    </div>
  )
}

type StateObject = Schemas['StateObjects']['objects'][number]
const NONE: readonly StateObject[] = []

/** Addresses in the state that the server keeps for the stack, for who may read states; never their values. */
function useStateObjects(repository: string, stack: Schemas['StackDetail']): readonly StateObject[] {
  const key = `${stack.environment}/${stack.name}`
  const mayRead = useWhyNot(repository)('state.read') === null
  const { data } = useQuery({
    // By what is deployed, and not with each change of the stack: each reading is audited.
    queryKey: ['state-objects', repository, key, stack.deployed.at],
    queryFn: () =>
      ask(
        api.GET('/api/v1/repositories/{repository}/state/objects', {
          params: { path: { repository }, query: { stack: key } },
        }),
      ),
    enabled: stack.driver === 'terraform' && mayRead,
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  })
  return data?.objects ?? NONE
}

/** A state knows what was there before Trueup, too. */
function withState(known: readonly Resource[], state: readonly StateObject[]): readonly Resource[] {
  const named = new Set(known.map(({ address }) => address))
  const others = state.filter(({ address, note }) => note === null && !named.has(address))
  return [...known, ...others.map(({ address }): Resource => ({ address, health: 'ok', why: null, run: null }))]
}
