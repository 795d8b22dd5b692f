import { Link, type ErrorComponentProps } from '@tanstack/react-router'
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
      <h1 className="sr-only">Not found</h1>
      <Empty title="There is no such page">
        The address may be mistyped, or what it showed is gone.{' '}
        <Link to="/" className={`${linkStyle} underline`}>
          To the overview
        </Link>
      </Empty>
    </>
  )
}
