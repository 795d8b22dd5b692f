import { useSyncExternalStore } from 'react'

interface Notice {
  id: number
  text: string
}
let notices: readonly Notice[] = []
let count = 0
const watchers = new Set<() => void>()
const set = (next: readonly Notice[]): void => {
  notices = next
  for (const watcher of watchers) watcher()
}

/** Says something that was done, for a few seconds, also to a screen reader. */
export function notify(text: string): void {
  const id = ++count
  set([...notices, { id, text }])
  window.setTimeout(() => set(notices.filter((notice) => notice.id !== id)), 4_000)
}

export function Notices() {
  const shown = useSyncExternalStore(
    (watcher) => {
      watchers.add(watcher)
      return () => watchers.delete(watcher)
    },
    () => notices,
  )
  return (
    <div
      aria-live="polite"
      className="pointer-events-none fixed bottom-4 left-1/2 z-60 flex -translate-x-1/2 flex-col gap-2 max-md:bottom-16"
    >
      {shown.map(({ id, text }) => (
        <p key={id} className="rounded bg-ink px-3 py-1.5 font-medium text-canvas shadow-float">
          {text}
        </p>
      ))}
    </div>
  )
}
