import type { UseQueryResult } from '@tanstack/react-query'
import { TriangleAlert } from 'lucide-react'
import type { ReactNode } from 'react'
import { ApiError, type Schemas } from '../api/client.ts'
import { t } from '../strings/parts.ts'
import { Button } from './basics.tsx'
import { Sentence } from './sentence.tsx'

export const bodyOf = (error: unknown): Schemas['ErrorBody'] =>
  error instanceof ApiError
    ? error.body
    : {
        code: 'PAGE',
        doing: t.showingThisPage,
        why: error instanceof Error ? error.message : String(error),
        next: t.reloadIt,
      }

/** What was being done, why not, what next: the same three everywhere, with the code to search for. */
export function ErrorNote({ error, again }: { error: unknown; again?: () => void }) {
  const { code, doing, why, next } = bodyOf(error)
  return (
    <div role="alert" className="flex gap-2.5 rounded border border-bad/40 bg-bad-soft p-3">
      <TriangleAlert size={16} className="mt-0.5 shrink-0 text-bad" aria-hidden />
      <div className="min-w-0 grow">
        <p className="font-medium wrap-anywhere">
          {doing}: <Sentence text={why} />
        </p>
        <p className="text-muted wrap-anywhere">
          <Sentence text={next} />
        </p>
        <p className="mt-1 text-sm text-muted">
          <code>{code}</code>
        </p>
      </div>
      {again && (
        <Button onClick={again} className="self-start">
          {t.tryAgain}
        </Button>
      )}
    </div>
  )
}

/** The same where it stands instead of a whole page. */
export function PageErrorNote({ error, again }: { error: unknown; again?: () => void }) {
  return (
    <>
      <title>{t.errorTrueup}</title>
      <h1 className="sr-only">{t.thisPageCannotBeShown}</h1>
      <ErrorNote error={error} again={again} />
    </>
  )
}

export function Waiting({ lines = 4 }: { lines?: number }) {
  return (
    <div role="status" aria-label={t.loading} aria-busy="true" className="flex flex-col gap-2 p-3">
      {Array.from({ length: lines }, (_, line) => (
        <div key={line} className="h-4 rounded-sm bg-hover" style={{ width: `${90 - ((line * 17) % 45)}%` }} />
      ))}
    </div>
  )
}

/** The one way from a query to what is on the screen: waiting, error, then the data. An error beside old data stands above it. */
export function Loaded<T>({
  query,
  children,
  lines,
  page = false,
}: {
  query: UseQueryResult<T, Error>
  children: (data: T) => ReactNode
  lines?: number
  /** It is the whole page and not a part of one. */
  page?: boolean
}) {
  const Note = page ? PageErrorNote : ErrorNote
  if (query.data !== undefined)
    return (
      <>
        {query.error && <ErrorNote error={query.error} again={() => void query.refetch()} />}
        {children(query.data)}
      </>
    )
  if (query.error) return <Note error={query.error} again={() => void query.refetch()} />
  return <Waiting lines={lines} />
}
