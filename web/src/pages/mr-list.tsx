import { useInfiniteQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { mrsQuery } from '../api/queries.ts'
import { mrLook } from '../text.ts'
import { CommandLine, Empty, PageHead, Panel } from '../ui/basics.tsx'
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
  return (
    <>
      <PageHead title="Merge requests" lead="Every change is one; the plan of every stack it touches is on it.">
        <PlanMany repository={repository} mrs={query.data?.pages.flatMap(({ items }) => items) ?? []} />
        <div role="group" aria-label="State" className="flex gap-1">
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
            <Empty title={state === 'all' ? 'No merge requests yet' : `No ${state} merge requests`}>
              Commit on a branch and push it with the option that opens one:{' '}
              <CommandLine line="git push -o mr origin HEAD" />
            </Empty>
          }
        >
          {(items) => (
            <Table label="Merge requests" heads={['Merge request', 'State', 'Author', 'Branch', 'Updated']}>
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
                    {mr.draft && <span className="ml-2 text-sm text-muted">draft</span>}
                    {mr.origin && (
                      <span className="ml-2 rounded-sm bg-hold-soft px-1 text-sm text-hold">{mr.origin}</span>
                    )}
                    {mr.bypassReason && (
                      <span className="ml-2 rounded-sm bg-bad-soft px-1 text-sm text-bad">bypassed</span>
                    )}
                  </td>
                  <td className={cell}>
                    <State look={mrLook(mr.state)} />
                  </td>
                  <td className={cell}>{mr.author}</td>
                  <td className={`${cell} wrap-anywhere`}>
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
