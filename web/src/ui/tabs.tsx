import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'

/** Views of one thing, each with an address of its own. */
export function Tabs({
  label,
  tabs,
  current,
}: {
  label: string
  tabs: readonly { id: string; label: ReactNode }[]
  current: string
}) {
  return (
    <nav aria-label={label} className="mb-3 flex gap-4 overflow-x-auto border-b border-line">
      {tabs.map(({ id, label: name }) => (
        <Link
          key={id}
          to="."
          search={((before: object) => ({ ...before, tab: id })) as never}
          replace
          aria-current={id === current ? 'page' : undefined}
          className={`-mb-px whitespace-nowrap border-b-2 px-0.5 py-1.5 ${id === current ? 'border-accent font-medium' : 'border-transparent text-muted hover:text-ink'}`}
        >
          {name}
        </Link>
      ))}
    </nav>
  )
}
