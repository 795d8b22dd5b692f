import { useRouter } from '@tanstack/react-router'
import type { MouseEvent } from 'react'

const whole = encodeURIComponent
const parts = (path: string): string => path.split('/').map(whole).join('/')

/** Address of a stack, `environment/name`. */
export const stackHref = (repository: string, stack: string): string => `/r/${whole(repository)}/stacks/${parts(stack)}`

/**
 * For what holds hundreds of plain links with `data-row`: a click on one moves within the application. A component of
 * the router for each link watches the address, and all of them are drawn again with every letter of a search.
 */
export function useRowLinks(): (event: MouseEvent) => void {
  const { history } = useRouter()
  return (event) => {
    if (event.defaultPrevented || event.button !== 0) return
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
    const href = (event.target as Element).closest('a[data-row]')?.getAttribute('href')
    if (!href) return
    event.preventDefault()
    history.push(href)
  }
}
