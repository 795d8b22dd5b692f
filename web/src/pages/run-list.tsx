import { useInfiniteQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import type { Schemas } from '../api/client.ts'
import { runsQuery } from '../api/queries.ts'
import { RUN_STATES } from '../search.ts'
import { KIND, runLook } from '../text.ts'
import { RunMany } from './run-many.tsx'
import { Empty, PageHead, Panel } from '../ui/basics.tsx'
import { MrCell } from '../ui/deployment-cells.tsx'
import { cell, Pages, Table } from '../ui/more.tsx'
import { State } from '../ui/status.tsx'
import { Summary } from '../ui/summary.tsx'
import { duration, Time } from '../ui/time.tsx'

const route = getRouteApi('/shell/r/$repository/runs')

export function RunListPage() {
  const { repository } = route.useParams()
  const filter = route.useSearch()
  const navigate = route.useNavigate()
  const query = useInfiniteQuery(runsQuery(repository, filter))
  const set = (change: Partial<typeof filter>): void =>
    void navigate({ search: (before) => ({ ...before, ...change }), replace: true })
  return (
    <>
      <PageHead title="Runs" lead="Every execution, newest first.">
        <RunMany
          repository={repository}
          runs={query.data?.pages.flatMap(({ items }) => items) ?? []}
          state={filter.state}
        />
        <select
          aria-label="Kind"
          value={filter.kind ?? ''}
          onChange={(event) => set({ kind: (event.target.value || undefined) as typeof filter.kind })}
        >
          <option value="">Every kind</option>
          {Object.entries(KIND).map(([kind, label]) => (
            <option key={kind} value={kind}>
              {label}
            </option>
          ))}
        </select>
        <select
          aria-label="State"
          value={filter.state ?? ''}
          onChange={(event) => set({ state: (event.target.value || undefined) as typeof filter.state })}
        >
          <option value="">Every state</option>
          {RUN_STATES.map((state) => (
            <option key={state} value={state}>
              {runLook(state).label}
            </option>
          ))}
        </select>
      </PageHead>
      <Panel flush>
        <Pages
          query={query}
          empty={<Empty title="No runs">A merge request, a merge or a drift check makes them.</Empty>}
        >
          {(items) => (
            <Table label="Runs" heads={['Run', 'State', 'Plan', 'Merge request', 'Took', 'When']}>
              {items.map((run) => (
                <RunRow key={run.id} run={run} repository={repository} />
              ))}
            </Table>
          )}
        </Pages>
      </Panel>
    </>
  )
}

export function RunRow({ run, repository }: { run: Schemas['RunSummary']; repository: string }) {
  return (
    <tr className="hover:bg-hover">
      <td className={`${cell} min-w-56`}>
        <Link
          to="/r/$repository/runs/$run"
          params={{ repository, run: run.id }}
          data-row=""
          className="font-medium wrap-anywhere hover:underline"
        >
          {KIND[run.kind]} <span className="text-muted">{run.stack}</span>
        </Link>
        {run.attempt > 1 && <span className="ml-2 text-sm text-muted">attempt {run.attempt}</span>}
        {run.message && run.finishedAt === null && <p className="text-sm text-muted wrap-anywhere">{run.message}</p>}
      </td>
      <td className={cell}>
        <State look={runLook(run.state)} />
      </td>
      <td className={cell}>
        <Summary summary={run.summary} />
      </td>
      <MrCell repository={repository} mr={run.mr} />
      <td className={`${cell} whitespace-nowrap text-muted`}>
        {run.startedAt !== null && run.finishedAt !== null ? duration(run.finishedAt - run.startedAt) : ''}
      </td>
      <td className={`${cell} text-muted`}>
        <Time at={run.createdAt} />
      </td>
    </tr>
  )
}
