import { Link } from '@tanstack/react-router'
import { useVirtualizer } from '@tanstack/react-virtual'
import { Check } from 'lucide-react'
import { useEffect, useMemo, useRef } from 'react'
import type { Schemas } from '../../api/client.ts'
import { t } from '../../strings/merge-requests.ts'

type File = Schemas['FileDiff']
const ROW_PX = 24

/** Files by folder; a link each, which moves the page to it. Of thousands only those in sight are made. */
export function FileTree({
  files,
  current,
  isViewed,
}: {
  files: readonly File[]
  current: string | undefined
  isViewed: (file: File) => boolean
}) {
  const scroller = useRef<HTMLElement>(null)
  const rows = useMemo(() => rowsOf(files), [files])
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    overscan: 10,
  })
  const at = rows.findIndex((row) => typeof row !== 'string' && row.path === current)
  useEffect(() => {
    if (at >= 0) virtual.scrollToIndex(at)
  }, [at, virtual])
  return (
    <nav ref={scroller} aria-label={t.files} className="sticky top-0 max-h-[80vh] overflow-y-auto max-md:hidden">
      <div className="relative" style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map(({ index, start }) => {
          const row = rows[index]!
          const place = { height: ROW_PX, transform: `translateY(${start}px)` }
          if (typeof row === 'string')
            return (
              <p key={`${row}/`} className="absolute inset-x-0 truncate text-sm text-muted" style={place} title={row}>
                {row}/
              </p>
            )
          return (
            <Link
              key={row.path}
              to="."
              search={((before: object) => ({ ...before, file: row.path })) as never}
              replace
              title={row.path}
              aria-current={row.path === current ? 'true' : undefined}
              style={place}
              className="absolute inset-x-0 flex items-center gap-1.5 rounded-sm px-1.5 hover:bg-hover aria-[current=true]:bg-accent-soft"
            >
              <span className="truncate">{row.path.slice(row.path.lastIndexOf('/') + 1)}</span>
              {isViewed(row) && <Check size={12} className="shrink-0 text-ok" aria-label={t.viewed} />}
              <span className="ml-auto shrink-0 text-xs text-muted tabular-nums">{row.additions + row.deletions}</span>
            </Link>
          )
        })}
      </div>
    </nav>
  )
}

/** Each folder's name, then its files. */
function rowsOf(files: readonly File[]): (string | File)[] {
  const folders = Map.groupBy(files, ({ path }) => path.slice(0, Math.max(path.lastIndexOf('/'), 0)))
  return [...folders].flatMap(([folder, its]) => (folder === '' ? its : [folder, ...its]))
}
