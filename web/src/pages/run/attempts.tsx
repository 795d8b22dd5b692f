import { useInfiniteQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { Schemas } from '../../api/client.ts'
import { runsQuery } from '../../api/queries.ts'
import { t } from '../../strings/runs.ts'
import { runLook } from '../../text.ts'
import { Mark } from '../../ui/status.tsx'

type Run = Pick<Schemas['Run'], 'id' | 'retryOf' | 'state' | 'createdAt'>

/** The run, what it retries, and what retries it, oldest first. */
function chainOf(run: Run, runs: readonly Run[]): Run[] {
  const known = new Map([run, ...runs].map((each) => [each.id, each]))
  const rootOf = ({ id, retryOf }: Run): string => {
    const before = retryOf === null ? undefined : known.get(retryOf)
    return before ? rootOf(before) : (retryOf ?? id)
  }
  const root = rootOf(run)
  return [...known.values()].filter((each) => rootOf(each) === root).sort((a, b) => a.createdAt - b.createdAt)
}

/** Goes to the other attempts of the same work. */
export function Attempts({ repository, run }: { repository: string; run: Schemas['Run'] }) {
  const query = useInfiniteQuery(runsQuery(repository, { stackId: run.stackId, kind: run.kind }))
  const chain = chainOf(run, query.data?.pages.flatMap(({ items }) => items) ?? [])
  if (chain.length < 2) return null
  return (
    <nav aria-label={t.attempts} className="flex flex-wrap items-center gap-1">
      <span className="mr-1 text-muted">{t.attempts}</span>
      {chain.map(({ id, state }, at) => (
        <Link
          key={id}
          to="/r/$repository/runs/$run"
          params={{ repository, run: id }}
          aria-current={id === run.id ? 'page' : undefined}
          className={`flex items-center gap-1.5 rounded border px-2 ${id === run.id ? 'border-accent bg-accent-soft font-medium' : 'border-line bg-panel hover:bg-hover'}`}
        >
          <Mark look={runLook(state)} label />
          {at + 1}
        </Link>
      ))}
    </nav>
  )
}
