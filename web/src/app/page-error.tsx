import { Link, type ErrorComponentProps } from '@tanstack/react-router'
import { Empty, linkStyle } from '../ui/basics.tsx'
import { ErrorNote } from '../ui/load.tsx'

export function PageError({ error, reset }: ErrorComponentProps) {
  return (
    <div className="mx-auto max-w-2xl p-6">
      <ErrorNote error={error} again={reset} />
    </div>
  )
}

export function NotFound() {
  return (
    <Empty title="There is no such page">
      The address may be mistyped, or what it showed is gone.{' '}
      <Link to="/" className={linkStyle}>
        To the overview
      </Link>
    </Empty>
  )
}
