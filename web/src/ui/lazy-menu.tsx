import { type ReactElement, type ReactNode, Suspense, useState } from 'react'

/**
 * A button whose menu is loaded when somebody is about to open it: what positions menus and keeps their focus is a fifth of
 * the script that a first visit would have to read.
 */
export function LazyMenu({
  load,
  menu,
  className,
  children,
}: {
  /** Fetches what `menu` is made of. */
  load: () => Promise<unknown>
  /** The menu around its button, open. */
  menu: (trigger: ReactElement) => ReactNode
  className: string
  children: ReactNode
}) {
  const [wanted, setWanted] = useState(false)
  const soon = (): void => void load().catch(() => undefined)
  const button = (
    <button type="button" className={className}>
      {children}
    </button>
  )
  const waiting = (
    <button
      type="button"
      aria-haspopup="menu"
      aria-expanded={wanted}
      className={className}
      onPointerEnter={soon}
      onFocus={soon}
      onClick={() => setWanted(true)}
    >
      {children}
    </button>
  )
  return wanted ? <Suspense fallback={waiting}>{menu(button)}</Suspense> : waiting
}
