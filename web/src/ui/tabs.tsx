import { Link } from '@tanstack/react-router'
import { type ReactNode, useEffect, useRef } from 'react'

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
  const bar = useRef<HTMLElement>(null)
  useEffect(() => {
    // On a phone it may stand beyond the edge.
    const there = bar.current?.querySelector<HTMLElement>('[aria-current]')
    if (bar.current && there) bar.current.scrollLeft = there.offsetLeft - bar.current.offsetLeft - 24
  }, [current])
  return (
    <nav ref={bar} aria-label={label} className="mb-3 flex gap-4 overflow-x-auto border-b border-line">
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
