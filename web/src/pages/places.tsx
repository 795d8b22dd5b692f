import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { useDeferredValue, useEffect, useState } from 'react'
import { overviewQuery, placesQuery } from '../api/queries.ts'
import { Empty, PageHead, Panel } from '../ui/basics.tsx'
import { cell, Pages, Table } from '../ui/more.tsx'
import { Time } from '../ui/time.tsx'

const route = getRouteApi('/shell/r/$repository/places')

/** Which stack has which place alone: who changes this directory, this state, this object? */
export function PlacesPage() {
  const { repository } = route.useParams()
  const filter = route.useSearch()
  const navigate = route.useNavigate()
  const names = useQuery(overviewQuery(repository)).data?.environments.map(({ name }) => name) ?? []
  const [text, setText] = useState(filter.q ?? '')
  const q = useDeferredValue(text)
  useEffect(() => {
    if (q !== (filter.q ?? '')) void navigate({ search: (before) => ({ ...before, q: q || undefined }), replace: true })
  }, [q, filter.q, navigate])
  const query = useInfiniteQuery(placesQuery(repository, filter))
  return (
    <>
      <PageHead
        title="Places"
        lead="What stacks manage. A place of one stack is refused to a second; one that may be shared never crosses environments."
      >
        <input
          type="search"
          aria-label="Search places by address"
          placeholder="Search by address"
          className="w-64 max-md:w-full"
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
        <select
          aria-label="Environment"
          value={filter.environment ?? ''}
          onChange={(event) =>
            void navigate({
              search: (before) => ({ ...before, environment: event.target.value || undefined }),
              replace: true,
            })
          }
        >
          <option value="">Every environment</option>
          {names.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </PageHead>
      <Panel flush>
        <Pages
          query={query}
          empty={
            <Empty title={filter.q || filter.environment ? 'No place of that kind' : 'No places yet'}>
              A stack has its place from its first deployment on. Playbooks, manifests of Puppet and Chef, and commands
              have none.
            </Empty>
          }
        >
          {(items) => (
            <Table label="Places" heads={['Place', 'Stack', 'Driver', 'Since']}>
              {items.map(({ address, stack, stackId, driver, since }) => (
                <tr key={`${address} ${stackId}`} className="hover:bg-hover">
                  <td className={`${cell} min-w-64`}>
                    <code className="wrap-anywhere">{address}</code>
                  </td>
                  <td className={`${cell} min-w-48`}>
                    <Link
                      to="/r/$repository/stacks/$"
                      params={{ repository, _splat: stack }}
                      data-row=""
                      className="font-medium wrap-anywhere hover:underline"
                    >
                      {stack}
                    </Link>
                  </td>
                  <td className={`${cell} text-muted`}>{driver}</td>
                  <td className={`${cell} text-muted`}>
                    <Time at={since} />
                  </td>
                </tr>
              ))}
            </Table>
          )}
        </Pages>
      </Panel>
    </>
  )
}
