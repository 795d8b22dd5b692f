import type { InfiniteData, UseInfiniteQueryResult } from '@tanstack/react-query'
import { type Virtualizer, useVirtualizer } from '@tanstack/react-virtual'
import { type CSSProperties, memo, useEffect, useMemo, useRef, useState } from 'react'
import type { Schemas } from '../api/client.ts'
import { useKey } from '../app/keys.ts'
import { t } from '../strings/overview.ts'
import { stateLook } from '../text.ts'
import { Empty } from '../ui/basics.tsx'
import { ErrorNote, Waiting } from '../ui/load.tsx'
import { stackHref, useRowLinks } from '../ui/row-links.ts'
import { Mark, toneInk } from '../ui/status.tsx'
import { ago, useNow } from '../ui/time.tsx'

type Row = Schemas['MatrixRow']
type Line = { folder: string } | { row: Row }
const ROW_PX = 30
/** A check that is later than this is no news any more. */
const GRACE_MS = 120_000

/** Rows of stacks, virtualised; more are asked for as the end comes near. */
export function Matrix({
  repository,
  columns,
  query,
  folders,
}: {
  repository: string
  columns: readonly string[]
  query: UseInfiniteQueryResult<InfiniteData<{ items: Row[]; next: string | null }>, Error>
  folders: boolean
}) {
  const now = useNow()
  const scroller = useRef<HTMLDivElement>(null)
  const [begun, setBegun] = useState(false)
  const lines = useMemo(
    () => toLines(query.data?.pages.flatMap((page) => page.items) ?? [], folders),
    [query.data, folders],
  )
  const virtual = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    // What is out of sight comes after what is in sight.
    overscan: begun ? 8 : 0,
    initialRect: { width: window.innerWidth, height: window.innerHeight / 2 },
    observeElementRect: observeRect,
    // Rows have one height and nobody is led to one: where the list stands is never to be corrected.
    scrollToFn: () => {},
  })
  const shown = virtual.getVirtualItems()
  useEffect(() => setBegun(true), [])
  const last = shown.at(-1)?.index ?? 0
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = query
  useEffect(() => {
    if (hasNextPage && !isFetchingNextPage && last > lines.length - 60) void fetchNextPage()
  }, [last, lines.length, hasNextPage, isFetchingNextPage, fetchNextPage])
  useKey('f', () => {
    const failures = [...(scroller.current?.querySelectorAll<HTMLElement>('[data-failed]') ?? [])]
    failures[(failures.indexOf(document.activeElement as HTMLElement) + 1) % failures.length]?.focus()
  })
  const follow = useRowLinks()
  const grid = useMemo(
    () => ({ gridTemplateColumns: `minmax(180px, 1fr) repeat(${columns.length}, minmax(132px, 200px))` }),
    [columns.length],
  )
  if (!query.data)
    return query.error ? <ErrorNote error={query.error} again={() => void query.refetch()} /> : <Waiting lines={10} />
  return (
    <div className="flex min-h-0 flex-col overflow-hidden rounded-lg border border-line bg-panel">
      <div
        ref={scroller}
        tabIndex={0}
        role="table"
        aria-label={t.stacksByEnvironment}
        aria-rowcount={query.hasNextPage ? -1 : lines.length + 1}
        className="min-h-0 overflow-auto"
      >
        <div
          role="row"
          aria-rowindex={1}
          className="sticky top-0 z-10 grid min-w-max border-b border-line bg-panel"
          style={grid}
        >
          <div role="columnheader" className="px-3 py-1.5 font-medium text-muted">
            {t.stack}
          </div>
          {columns.map((name) => (
            <div key={name} role="columnheader" className="px-2 py-1.5 font-medium text-muted">
              {name}
            </div>
          ))}
        </div>
        <div role="rowgroup" className="relative min-w-max" style={{ height: virtual.getTotalSize() }} onClick={follow}>
          {shown.map(({ index, start }) => {
            const line = lines[index]!
            const at = { index, start, grid }
            return 'folder' in line ? (
              <FolderLine key={line.folder} {...at} folder={line.folder} />
            ) : (
              <StackLine
                key={line.row.name}
                {...at}
                repository={repository}
                row={line.row}
                columns={columns}
                short={folders}
                now={now}
              />
            )
          })}
        </div>
        {lines.length === 0 && <Empty title={t.noStackMatches}>{t.takeAFilterAwayOr}</Empty>}
      </div>
      <p className="border-t border-line px-3 py-1 text-sm text-muted" role="status">
        {lines.length === 0
          ? t.nothing
          : t.pagesWordsRows(
              query.data.pages.reduce((sum, page) => sum + page.items.length, 0),
              hasNextPage,
            )}
        {isFetchingNextPage && t.loadingMore}
      </p>
    </div>
  )
}

/**
 * The height of the list as the browser tells it after a layout that it makes anyway. The library's own asks for it at once,
 * which costs the first view a layout of its own.
 */
function observeRect(
  { scrollElement: element }: Virtualizer<HTMLDivElement, Element>,
  told: (rect: { width: number; height: number }) => void,
): (() => void) | undefined {
  if (!element) return undefined
  const observer = new ResizeObserver(([entry]) => {
    if (entry) told({ width: Math.round(entry.contentRect.width), height: Math.round(entry.contentRect.height) })
  })
  observer.observe(element)
  return () => observer.disconnect()
}

interface Placed {
  index: number
  start: number
  grid: CSSProperties
}

const placeOf = ({ start, grid }: Placed): CSSProperties => ({
  ...grid,
  height: ROW_PX,
  transform: `translateY(${start}px)`,
})

const FolderLine = memo(({ folder, ...at }: Placed & { folder: string }) => (
  <div
    role="row"
    aria-rowindex={at.index + 2}
    className="absolute inset-x-0 top-0 grid items-center bg-sunken"
    style={placeOf(at)}
  >
    <div role="rowheader" className="px-3 text-sm font-medium text-muted">
      {folder}/
    </div>
  </div>
))

/** Drawn again only when something of it has changed: scrolling moves the others past. */
const StackLine = memo(
  ({
    repository,
    row,
    columns,
    short,
    now,
    ...at
  }: Placed & { repository: string; row: Row; columns: readonly string[]; short: boolean; now: number }) => (
    <div
      role="row"
      aria-rowindex={at.index + 2}
      className="absolute inset-x-0 top-0 grid items-center border-b border-line/60 hover:bg-hover"
      style={placeOf(at)}
    >
      <div role="rowheader" className="flex min-w-0 items-center gap-2 px-3">
        <Name name={row.name} short={short} />
        <span
          className="ml-auto max-w-[45%] shrink-0 truncate text-sm text-faint max-md:hidden"
          title={row.cells[0]?.facets.join(' ')}
        >
          {row.cells[0]?.facets.find((word) => word.startsWith('@'))} {row.cells[0]?.driver}
        </span>
      </div>
      {columns.map((environment) => (
        <Cell key={environment} repository={repository} row={row} environment={environment} now={now} />
      ))}
    </div>
  ),
)

function toLines(rows: readonly Row[], folders: boolean): Line[] {
  const lines: Line[] = []
  let folder = ''
  for (const row of rows) {
    const slash = row.name.lastIndexOf('/')
    const its = slash === -1 ? '' : row.name.slice(0, slash)
    if (folders && its !== folder && its !== '') lines.push({ folder: its })
    folder = its
    lines.push({ row })
  }
  return lines
}

function Name({ name, short }: { name: string; short: boolean }) {
  const slash = name.lastIndexOf('/')
  return (
    <span className="truncate" title={name}>
      {slash !== -1 && !short && <span className="text-muted">{name.slice(0, slash + 1)}</span>}
      <span className={`font-medium ${slash !== -1 && short ? 'pl-3' : ''}`}>{name.slice(slash + 1)}</span>
    </span>
  )
}

function Cell({
  repository,
  row,
  environment,
  now,
}: {
  repository: string
  row: Row
  environment: string
  now: number
}) {
  const found = row.cells.find((cell) => cell.environment === environment)
  if (!found)
    return (
      <div role="cell" className="px-2 text-faint">
        <span aria-hidden>–</span>
        <span className="sr-only">{t.notThere}</span>
      </div>
    )
  const look = stateLook(found.state)
  const stale = found.nextDriftAt !== null && found.nextDriftAt + GRACE_MS < now
  const seen = found.observedAt === null ? t.neverChecked : t.checkedAgo(ago(found.observedAt, now))
  return (
    <div role="cell" className="min-w-0 px-1">
      <a
        href={stackHref(repository, `${environment}/${row.name}`)}
        data-row=""
        {...(look.tone === 'bad' && { 'data-failed': '' })}
        title={[look.meaning, found.stateReason, stale ? t.staleSeen(seen) : seen].filter(Boolean).join('\n')}
        className="flex items-center gap-1.5 rounded-sm px-1 py-0.5 hover:bg-sunken"
      >
        <Mark look={look} />
        <span className={`truncate ${look.tone === 'ok' ? 'text-muted' : `font-medium ${toneInk(look.tone)}`}`}>
          {look.label}
        </span>
        {stale && <span className="ml-auto text-xs text-warn">{t.stale}</span>}
      </a>
    </div>
  )
}
