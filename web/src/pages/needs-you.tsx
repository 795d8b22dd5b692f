import { useInfiniteQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { mrsQuery, runsQuery } from '../api/queries.ts'
import { t } from '../strings/overview.ts'
import { KIND, mrLook, runLook } from '../text.ts'
import { Mark } from '../ui/status.tsx'
import { Time } from '../ui/time.tsx'

const MOST = 4

/** What waits for a person: runs that wait for an approval, and open merge requests. */
export function NeedsYou({ repository }: { repository: string }) {
  const runs = useInfiniteQuery(runsQuery(repository, { state: 'awaiting_approval' })).data?.pages[0]?.items ?? []
  const mrs = useInfiniteQuery(mrsQuery(repository, 'open')).data?.pages[0]
  const open = mrs?.items.filter(({ draft }) => !draft) ?? []
  if (runs.length + open.length === 0) return null
  return (
    <section
      aria-label={t.waitsForSomeone}
      className="mb-3 shrink-0 overflow-hidden rounded-lg border border-line bg-panel"
    >
      <ul className="divide-y divide-line">
        {runs.slice(0, MOST).map((run) => (
          <Item key={run.id} at={run.createdAt} mark={<Mark look={runLook(run.state)} label />}>
            <Link
              to="/r/$repository/runs/$run"
              params={{ repository, run: run.id }}
              data-row=""
              className="font-medium hover:underline"
            >
              {t.ofWaitsForAnApproval(KIND[run.kind], run.stack)}
            </Link>
            <span className="text-muted"> {run.message}</span>
          </Item>
        ))}
        {open.slice(0, MOST).map((mr) => (
          <Item key={mr.id} at={mr.createdAt} mark={<Mark look={mrLook(mr.state)} label />}>
            <Link
              to="/r/$repository/mr/$number"
              params={{ repository, number: String(mr.number) }}
              data-row=""
              className="font-medium hover:underline"
            >
              !{mr.number} {mr.title}
            </Link>
            <span className="text-muted">
              {t.byAuthor(mr.author)}
              {mr.origin && t.madeByTrueup(mr.origin)}
            </span>
          </Item>
        ))}
      </ul>
      {(runs.length > MOST || open.length > MOST) && (
        <p className="border-t border-line px-3 py-1 text-sm">
          <Link to="/r/$repository/mr" params={{ repository }} className="text-accent hover:underline">
            {t.allOpenMergeRequests(open.length, mrs?.next ? '+' : '')}
          </Link>
        </p>
      )}
    </section>
  )
}

function Item({ mark, at, children }: { mark: ReactNode; at: number; children: ReactNode }) {
  return (
    <li className="flex items-center gap-2 px-3 py-1">
      {mark}
      <span className="min-w-0 truncate">{children}</span>
      <span className="ml-auto text-sm text-muted">
        <Time at={at} />
      </span>
    </li>
  )
}
