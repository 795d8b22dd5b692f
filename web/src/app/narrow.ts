import { useSyncExternalStore } from 'react'

/** As `max-md` of the styles. */
const query = window.matchMedia('(width < 860px)')

function watch(watcher: () => void): () => void {
  query.addEventListener('change', watcher)
  return () => query.removeEventListener('change', watcher)
}

/** Whether the window is as narrow as a phone: its bars take the place of the side bar, and only one of them is made. */
export const useNarrow = (): boolean => useSyncExternalStore(watch, () => query.matches)
