import { useNavigate, useParams } from '@tanstack/react-router'
import { useEffect, useRef } from 'react'
import { t } from '../strings/frame.ts'

/** Places that `g` and a letter go to. */
export const GOES: readonly (readonly [key: string, to: string, label: string])[] = [
  ['o', '/r/$repository', t.overview],
  ['m', '/r/$repository/mr', t.mergeRequests],
  ['r', '/r/$repository/runs', t.runs],
  ['d', '/r/$repository/drift', t.drift],
  ['e', '/r/$repository/deployments', t.deployments],
  ['n', '/r/$repository/dependencies', t.dependencies],
  ['p', '/r/$repository/places', t.places],
  ['w', '/workers', t.workers],
  ['a', '/audit', t.audit],
  ['s', '/settings', t.settings],
]

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))

/** Keys of every page; pages add their own with `useKey`. */
export function useKeys({ palette, help }: { palette: () => void; help: () => void }): void {
  const navigate = useNavigate()
  const { repository } = useParams({ strict: false })
  const waiting = useRef(0)
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
        event.preventDefault()
        palette()
        return
      }
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return
      if (document.querySelector('[role=dialog]')) return
      if (event.key === '?') help()
      else if (event.key === '/') {
        const field = document.querySelector<HTMLInputElement>('main input[type=search]')
        if (!field) return
        event.preventDefault()
        field.focus()
      } else if (event.key === 'j' || event.key === 'k') moveFocus(event.key === 'j' ? 1 : -1)
      else if (Date.now() - waiting.current < 1_200) {
        waiting.current = 0
        const go = GOES.find(([key]) => key === event.key)
        if (go && (repository || !go[1].includes('$'))) void navigate({ to: go[1], params: { repository } } as never)
      } else if (event.key === 'g') waiting.current = Date.now()
    }
    window.addEventListener('keydown', onKey)
    return () => window.removeEventListener('keydown', onKey)
  }, [navigate, repository, palette, help])
}

/** Next or previous row of the list on the page: what carries `data-row`. */
function moveFocus(by: number): void {
  const rows = [...document.querySelectorAll<HTMLElement>('main [data-row]')]
  const at = rows.indexOf(document.activeElement as HTMLElement)
  const next = rows[at === -1 ? (by > 0 ? 0 : rows.length - 1) : at + by]
  next?.focus()
  next?.scrollIntoView({ block: 'nearest' })
}

/** One key of a page, off while someone types or a window is open. */
export function useKey(key: string, act: () => void): void {
  const latest = useRef(act)
  latest.current = act
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.key !== key || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return
      if (!document.querySelector('[role=dialog]')) latest.current()
    }
    window.addEventListener('keydown', onKey)
    return () => window.removeEventListener('keydown', onKey)
  }, [key])
}
