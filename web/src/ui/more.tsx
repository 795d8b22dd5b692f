import type { InfiniteData, UseInfiniteQueryResult } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { t } from '../strings/parts.ts'
import { Button } from './basics.tsx'
import { ErrorNote, Waiting } from './load.tsx'

interface Page<T> {
  items: T[]
  next: string | null
}

/** A list that the server gives in pages: its items so far, and a button for more. */
export function Pages<T>({
  query,
  children,
  empty,
}: {
  query: UseInfiniteQueryResult<InfiniteData<Page<T>>, Error>
  children: (items: T[]) => ReactNode
  empty: ReactNode
}) {
  if (!query.data)
    return query.error ? <ErrorNote error={query.error} again={() => void query.refetch()} /> : <Waiting lines={6} />
  const items = query.data.pages.flatMap((page) => page.items)
  return (
    <>
      {query.error && <ErrorNote error={query.error} again={() => void query.refetch()} />}
      {items.length === 0 ? empty : children(items)}
      {query.hasNextPage && (
        <div className="flex justify-center p-2">
          <Button variant="quiet" disabled={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
            {query.isFetchingNextPage ? t.loading2 : t.showMoreSoFar(items.length)}
          </Button>
        </div>
      )}
    </>
  )
}

/** Cells of every table. */
export const cell = 'px-3 py-1.5 text-left align-baseline'
export const headCell = 'px-3 py-1 text-left font-medium text-muted whitespace-nowrap'

/** On a phone a table of many columns scrolls sideways: squeezed into its width they would break within words. */
export function Table({ heads, children, label }: { heads: readonly string[]; children: ReactNode; label: string }) {
  return (
    // `relative`: what is there for screen readers only would widen the whole page otherwise.
    <div className="relative overflow-x-auto" tabIndex={0} role="region" aria-label={label}>
      <table className={`w-full border-collapse ${heads.length > 3 ? 'max-md:min-w-[640px]' : ''}`}>
        <thead>
          <tr className="border-b border-line">
            {heads.map((head) => (
              <th key={head} scope="col" className={headCell}>
                {head || <span className="sr-only">{t.acts}</span>}
              </th>
            ))}
          </tr>
        </thead>
        <tbody className="divide-y divide-line">{children}</tbody>
      </table>
    </div>
  )
}
