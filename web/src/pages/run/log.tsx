import { getRouteApi } from '@tanstack/react-router'
import { useVirtualizer } from '@tanstack/react-virtual'
import { AnsiUp } from 'ansi_up'
import { ArrowDownToLine, ChevronRight, Clock } from 'lucide-react'
import { useEffect, useMemo, useRef, useState } from 'react'
import { useKey } from '../../app/keys.ts'
import { t } from '../../strings/runs.ts'
import { Button, Panel } from '../../ui/basics.tsx'
import { ErrorNote } from '../../ui/load.tsx'
import { absolute, clockTime } from '../../ui/time.tsx'
import { isFailure, toGroups } from './log-groups.ts'
import { useLog } from './use-log.ts'

const LINE_PX = 18
const route = getRouteApi('/shell/r/$repository/runs/$run')

/** Escapes everything; what is left of the escape sequences are classes, which follow the theme. */
function painter(): (line: string) => string {
  const ansi = new AnsiUp()
  ansi.use_classes = true
  ansi.escape_html = true
  // Links of tools would be addresses of anybody's making.
  ansi.url_allowlist = {}
  return (line) => ansi.ansi_to_html(`${line.slice(0, 10_000)}\u001b[0m`)
}

// oxlint-disable-next-line no-control-regex -- escape sequences are control characters
const ESCAPES = /\u001b\[[0-9;?]*[A-Za-z]/g

/** Text of a run as it is written: only what is on the screen is in the page, however long it is. */
export function Log({ run, ended, failed }: { run: string; ended: boolean; failed: boolean }) {
  const { lines, times, done, error } = useLog(run, ended)
  const { line: linked, q = '', folds, time = false } = route.useSearch()
  const navigate = route.useNavigate()
  const scroller = useRef<HTMLDivElement>(null)
  const [follow, setFollow] = useState(!ended && linked === undefined)
  const folded = useMemo<ReadonlySet<number>>(() => new Set(folds), [folds])
  const paint = useMemo(painter, [])
  const groups = useMemo(() => toGroups(lines), [lines])
  const shown = useMemo(() => {
    const text = q.toLowerCase()
    const found: number[] = []
    for (const { start, end } of groups)
      for (let line = start; line < end; line++) {
        if (text !== '' ? !lines[line]!.toLowerCase().includes(text) : folded.has(start + 1) && line > start) continue
        found.push(line)
      }
    return found
  }, [groups, lines, folded, q])
  const starts = useMemo(() => new Map(groups.map(({ start, title }) => [start, title])), [groups])
  const virtual = useVirtualizer({
    count: shown.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => LINE_PX,
    overscan: 30,
  })
  const goTo = (line: number): void => virtual.scrollToIndex(shown.indexOf(line), { align: 'center' })
  useEffect(() => {
    if (follow && shown.length > 0) virtual.scrollToIndex(shown.length - 1, { align: 'end' })
  }, [follow, shown.length, virtual])
  const jumped = useRef(false)
  useEffect(() => {
    if (jumped.current || lines.length === 0) return
    const target = linked !== undefined ? linked - 1 : failed && done ? lines.findLastIndex(isFailure) : -1
    if (target < 0 || target >= lines.length) return
    jumped.current = true
    goTo(target)
  })
  useKey('f', () => {
    const top = shown[virtual.getVirtualItems()[0]?.index ?? 0] ?? 0
    const next = lines.findIndex((line, at) => at > top + 8 && isFailure(line))
    goTo(next === -1 ? Math.max(0, lines.findIndex(isFailure)) : next)
  })
  const set = (change: { line?: number; q?: string; folds?: number[]; time?: boolean }): void =>
    void navigate({ search: (before) => ({ ...before, ...change }), replace: true, resetScroll: false })
  const toggle = (line: number): void => {
    const rest = [...folded].filter((each) => each !== line)
    const next = rest.length < folded.size ? rest : [...rest, line]
    set({ folds: next.length > 0 ? next : undefined })
  }
  return (
    <Panel
      title={t.log}
      flush
      aside={
        <>
          <span className="text-sm text-muted tabular-nums" role="status">
            {t.wordsCountLines(q ? t.countOf(shown.length.toLocaleString()) : '', lines.length.toLocaleString())}
          </span>
          <input
            type="search"
            aria-label={t.searchInTheLog}
            placeholder={t.search}
            className="w-40 max-md:w-28"
            value={q}
            onChange={(event) => set({ q: event.target.value || undefined })}
          />
          <Button
            aria-pressed={time}
            onClick={() => set({ time: !time || undefined })}
            className="aria-pressed:bg-accent-soft"
          >
            <Clock size={13} aria-hidden />
            {t.times}
          </Button>
          {!ended && (
            <Button aria-pressed={follow} onClick={() => setFollow(!follow)} className="aria-pressed:bg-accent-soft">
              <ArrowDownToLine size={13} aria-hidden />
              {t.follow}
            </Button>
          )}
        </>
      }
    >
      {error !== null && <ErrorNote error={error} />}
      <div
        ref={scroller}
        tabIndex={0}
        role="log"
        aria-label={t.logOfTheRun}
        aria-live="off"
        className="max-h-[56vh] min-h-20 overflow-auto bg-sunken py-1 font-mono text-sm"
        onWheel={(event) => {
          if (event.deltaY < 0) setFollow(false)
        }}
      >
        {lines.length === 0 && (
          <p className="px-3 py-2 font-sans text-muted">{done ? t.itPrintedNothing2 : t.nothingYet}</p>
        )}
        <div className="relative min-w-max" style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map(({ index, start }) => {
            const line = shown[index]!
            const title = starts.get(line)
            const text = lines[line]!
            return (
              <div
                key={line}
                className={`absolute left-0 flex min-w-full whitespace-pre ${linked === line + 1 ? 'bg-accent-soft' : isFailure(text) ? 'bg-bad-soft' : 'hover:bg-hover'}`}
                style={{ height: LINE_PX, lineHeight: `${LINE_PX}px`, transform: `translateY(${start}px)` }}
              >
                <button
                  type="button"
                  tabIndex={-1}
                  aria-label={t.addressOfLine(line + 1)}
                  onClick={() => set({ line: line + 1 })}
                  className="min-h-0! w-14 shrink-0 pr-2 text-right text-faint select-none hover:text-ink"
                >
                  {line + 1}
                </button>
                {time && (
                  <time
                    dateTime={new Date(times[line]!).toISOString()}
                    title={absolute(times[line]!)}
                    className="shrink-0 pr-3 text-muted tabular-nums select-none"
                  >
                    {clockTime(times[line]!)}
                  </time>
                )}
                {title !== undefined && title !== null && !q ? (
                  <button
                    type="button"
                    aria-expanded={!folded.has(line + 1)}
                    onClick={() => toggle(line + 1)}
                    className="flex min-h-0! items-center font-semibold"
                  >
                    <ChevronRight size={12} aria-hidden className={folded.has(line + 1) ? '' : 'rotate-90'} />
                    {text.replaceAll(ESCAPES, '')}
                  </button>
                ) : (
                  <span className="pr-3" dangerouslySetInnerHTML={{ __html: paint(text) }} />
                )}
              </div>
            )
          })}
        </div>
      </div>
    </Panel>
  )
}
