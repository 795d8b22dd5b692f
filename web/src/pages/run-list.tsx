import { useInfiniteQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import type { Schemas } from '../api/client.ts'
import { runsQuery } from '../api/queries.ts'
import { RUN_STATES } from '../search.ts'
import { t } from '../strings/runs.ts'
import { KIND, runLook } from '../text.ts'
import { RunMany } from './run-many.tsx'
import { Empty, PageHead, Panel } from '../ui/basics.tsx'
import { MrCell } from '../ui/deployment-cells.tsx'
import { cell, Pages, Table } from '../ui/more.tsx'
import { Sentence } from '../ui/sentence.tsx'
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
      <PageHead title={t.runs} lead={t.everyExecutionNewestFirst}>
        <RunMany
          repository={repository}
          runs={query.data?.pages.flatMap(({ items }) => items) ?? []}
          state={filter.state}
        />
        <select
          aria-label={t.kind}
          value={filter.kind ?? ''}
          onChange={(event) => set({ kind: (event.target.value || undefined) as typeof filter.kind })}
        >
          <option value="">{t.everyKind}</option>
          {Object.entries(KIND).map(([kind, label]) => (
            <option key={kind} value={kind}>
              {label}
            </option>
          ))}
        </select>
        <select
          aria-label={t.state}
          value={filter.state ?? ''}
          onChange={(event) => set({ state: (event.target.value || undefined) as typeof filter.state })}
        >
          <option value="">{t.everyState}</option>
          {RUN_STATES.map((state) => (
            <option key={state} value={state}>
              {runLook(state).label}
            </option>
          ))}
        </select>
      </PageHead>
      <Panel flush>
        <Pages query={query} empty={<Empty title={t.noRuns}>{t.aMergeRequestAMerge}</Empty>}>
          {(items) => (
            <Table label={t.runs} heads={[t.run, t.state, t.plan, t.mergeRequest, t.took, t.when]}>
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
        {run.attempt > 1 && <span className="ml-2 text-sm text-muted">{t.attemptAttempt(run.attempt)}</span>}
        {run.message && run.finishedAt === null && (
          <p className="text-sm text-muted wrap-anywhere">
            <Sentence text={run.message} />
          </p>
        )}
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
