import { useInfiniteQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { memo, type ReactNode, useState } from 'react'
import { mrsQuery, runsQuery } from '../api/queries.ts'
import { t } from '../strings/overview.ts'
import { KIND, mrLook, runLook } from '../text.ts'
import { Mark } from '../ui/status.tsx'
import { Time } from '../ui/time.tsx'

const MOST = 4
const ROW_PX = 30

/**
 * What waits for a person: runs that wait for an approval, and open merge requests. It keeps the height that it was opened with
 * until somebody asks for all: what comes meanwhile is counted in its heading (which shows the
 * first where it was empty), and pushes nothing away below it. Filters of the page do not draw it again.
 */
export const NeedsYou = memo(({ repository }: { repository: string }) => {
  const runs = useInfiniteQuery(runsQuery(repository, { state: 'awaiting_approval' })).data?.pages[0]
  const mrs = useInfiniteQuery(mrsQuery(repository, 'open')).data?.pages[0]
  const waiting = runs?.items ?? []
  const open = mrs?.items.filter(({ draft }) => !draft) ?? []
  const count = waiting.length + open.length
  const isKnown = runs !== undefined && mrs !== undefined
  const [rows, setRows] = useState<number | null>(null)
  if (isKnown && rows === null) setRows(Math.min(count, MOST))
  const shown = rows ?? 0
  const items = [
    ...waiting.map((run) => (
      <Item key={run.id} at={run.createdAt} mark={<Mark look={runLook(run.state)} label />}>
        <Link
          to="/r/$repository/runs/$run"
          params={{ repository, run: run.id }}
          data-row=""
          className="font-medium text-ink hover:underline"
        >
          {t.ofWaitsForAnApproval(KIND[run.kind], run.stack)}
        </Link>
        <span className="text-muted"> {run.message}</span>
      </Item>
    )),
    ...open.map((mr) => (
      <Item key={mr.id} at={mr.createdAt} mark={<Mark look={mrLook(mr.state)} label />}>
        <Link
          to="/r/$repository/mr/$number"
          params={{ repository, number: String(mr.number) }}
          data-row=""
          className="font-medium text-ink hover:underline"
        >
          !{mr.number} {mr.title}
        </Link>
        <span className="text-muted">
          {t.byAuthor(mr.author)}
          {mr.origin && t.madeByTrueup(mr.origin)}
        </span>
      </Item>
    )),
  ]
  return (
    <section
      aria-label={t.waitsForSomeone}
      className="mb-3 shrink-0 overflow-hidden rounded-lg border border-line bg-panel"
    >
      <div className="flex h-8 items-center gap-3 px-3 text-sm text-muted">
        <span className="shrink-0">
          {count === 0 ? t.nothingWaits : t.countWait(count, runs?.next || mrs?.next ? '+' : '')}
        </span>
        {shown === 0 && count > 0 && <ul className="min-w-0">{items.slice(0, 1)}</ul>}
        {count > Math.max(shown, 1) && (
          <button type="button" onClick={() => setRows(count)} className="shrink-0 text-accent hover:underline">
            {t.showThem}
          </button>
        )}
        {open.length > 0 && (
          <Link to="/r/$repository/mr" params={{ repository }} className="ml-auto shrink-0 text-accent hover:underline">
            {t.mergeRequests}
          </Link>
        )}
      </div>
      {shown > 0 && (
        <ul
          className="max-h-[40vh] divide-y divide-line overflow-y-auto border-t border-line"
          style={{ height: shown * ROW_PX + 1 }}
        >
          {items}
        </ul>
      )}
    </section>
  )
})

function Item({ mark, at, children }: { mark: ReactNode; at: number; children: ReactNode }) {
  return (
    <li className="flex h-[30px] items-center gap-2 px-3">
      {mark}
      <span className="min-w-0 truncate">{children}</span>
      <span className="ml-auto shrink-0 text-sm text-muted">
        <Time at={at} />
      </span>
    </li>
  )
}
