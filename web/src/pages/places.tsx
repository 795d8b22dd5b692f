import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { useDeferredValue, useEffect, useState } from 'react'
import { overviewQuery, placesQuery } from '../api/queries.ts'
import { t } from '../strings/server.ts'
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
      <PageHead title={t.places} lead={t.whatStacksManageAPlace}>
        <input
          type="search"
          aria-label={t.searchPlacesByAddress}
          placeholder={t.searchByAddress}
          className="w-64 max-md:w-full"
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
        <select
          aria-label={t.environment}
          value={filter.environment ?? ''}
          onChange={(event) =>
            void navigate({
              search: (before) => ({ ...before, environment: event.target.value || undefined }),
              replace: true,
            })
          }
        >
          <option value="">{t.everyEnvironment}</option>
          {names.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </PageHead>
      <Panel flush>
        <Pages
          query={query}
          empty={
            <Empty title={filter.q || filter.environment ? t.noPlaceOfThatKind : t.noPlacesYet}>
              {t.aStackHasItsPlace}
            </Empty>
          }
        >
          {(items) => (
            <Table label={t.places} heads={[t.place, t.stack, t.driver, t.since]}>
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
