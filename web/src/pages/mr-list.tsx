import { useInfiniteQuery, useSuspenseQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { mrsQuery, repositoriesQuery } from '../api/queries.ts'
import { t } from '../strings/merge-requests.ts'
import { mrLook } from '../text.ts'
import { CommandLine, Empty, linkStyle, PageHead, Panel } from '../ui/basics.tsx'
import { cell, Pages, Table } from '../ui/more.tsx'
import { PlanMany } from './plan-many.tsx'
import { State } from '../ui/status.tsx'
import { Time } from '../ui/time.tsx'

const route = getRouteApi('/shell/r/$repository/mr')
const CHOICES = ['open', 'merged', 'closed', 'all'] as const

export function MrListPage() {
  const { repository } = route.useParams()
  const { state = 'open' } = route.useSearch()
  const query = useInfiniteQuery(mrsQuery(repository, state))
  const connection = useSuspenseQuery(repositoriesQuery).data.find(({ name }) => name === repository)?.connection
  return (
    <>
      <PageHead title={t.mergeRequests} lead={t.everyChangeIsOneThe}>
        <PlanMany repository={repository} mrs={query.data?.pages.flatMap(({ items }) => items) ?? []} />
        <div role="group" aria-label={t.state} className="flex gap-1">
          {CHOICES.map((choice) => (
            <Link
              key={choice}
              to="."
              search={{ state: choice === 'open' ? undefined : choice }}
              aria-current={choice === state ? 'true' : undefined}
              className={`rounded border px-2.5 py-0.5 capitalize ${choice === state ? 'border-accent bg-accent-soft font-medium' : 'border-line bg-panel hover:bg-hover'}`}
            >
              {choice}
            </Link>
          ))}
        </div>
      </PageHead>
      <Panel flush>
        <Pages
          query={query}
          empty={
            <Empty title={state === 'all' ? t.noMergeRequestsYet : t.noMergeRequests(state)}>
              {connection ? (
                <>
                  {t.openOneAt}
                  <a href={connection.url} rel="noreferrer" target="_blank" className={linkStyle}>
                    {connection.url}
                  </a>
                </>
              ) : (
                <>
                  {t.commitOnABranchAnd}
                  <CommandLine line="git push -o mr origin HEAD" />
                </>
              )}
            </Empty>
          }
        >
          {(items) => (
            <Table label={t.mergeRequests} heads={[t.mergeRequest, t.state, t.author, t.branch, t.updated]}>
              {items.map((mr) => (
                <tr key={mr.id} className="hover:bg-hover">
                  <td className={`${cell} min-w-64`}>
                    <Link
                      to="/r/$repository/mr/$number"
                      params={{ repository, number: String(mr.number) }}
                      data-row=""
                      className="font-medium wrap-anywhere hover:underline"
                    >
                      <span className="text-muted">!{mr.number}</span> {mr.title}
                    </Link>
                    {mr.draft && <span className="ml-2 text-sm text-muted">{t.draft}</span>}
                    {mr.origin && (
                      <span className="ml-2 rounded-sm bg-hold-soft px-1 text-sm text-hold">{mr.origin}</span>
                    )}
                    {mr.bypassReason && (
                      <span className="ml-2 rounded-sm bg-bad-soft px-1 text-sm text-bad">{t.bypassed}</span>
                    )}
                  </td>
                  <td className={cell}>
                    <State look={mrLook(mr.state)} />
                  </td>
                  <td className={cell}>{mr.author}</td>
                  <td className={`${cell} max-w-64 truncate`} title={mr.sourceBranch}>
                    <code className="text-muted">{mr.sourceBranch}</code>
                  </td>
                  <td className={`${cell} text-muted`}>
                    <Time at={mr.updatedAt} />
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
