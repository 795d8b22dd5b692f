import { Link, type ErrorComponentProps } from '@tanstack/react-router'
import { t } from '../strings/frame.ts'
import { Empty, linkStyle } from '../ui/basics.tsx'
import { PageErrorNote } from '../ui/load.tsx'

export function PageError({ error, reset }: ErrorComponentProps) {
  return (
    <div className="mx-auto max-w-2xl p-6">
      <PageErrorNote error={error} again={reset} />
    </div>
  )
}

export function NotFound() {
  return (
    <>
      <h1 className="sr-only">{t.notFound}</h1>
      <Empty title={t.thereIsNoSuchPage}>
        {t.theAddressMayBeMistyped}
        <Link to="/" className={`${linkStyle} underline`}>
          {t.toTheOverview}
        </Link>
      </Empty>
    </>
  )
}
