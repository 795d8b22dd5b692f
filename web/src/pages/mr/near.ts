import { type RefObject, useEffect, useRef, useState } from 'react'

/** Of those that come near together only so many are made a frame: a wheel brings dozens at once, which is half a second's work. */
const A_FRAME = 2
const waiting = new Set<() => void>()

function nextFrame(): void {
  for (const make of [...waiting].slice(0, A_FRAME)) {
    waiting.delete(make)
    make()
  }
  if (waiting.size > 0) requestAnimationFrame(nextFrame)
}

function takeTurn(make: () => void): void {
  if (waiting.size === 0) requestAnimationFrame(nextFrame)
  waiting.add(make)
}

/**
 * Becomes true, for good, when the element is near the screen, what it needs is there, and its turn has come: thousands of
 * files cost nothing until then, nor do those that somebody only scrolls past.
 */
export function useNear(element: RefObject<HTMLElement | null>, needs: () => Promise<unknown>): boolean {
  const [near, setNear] = useState(false)
  const load = useRef(needs)
  load.current = needs
  useEffect(() => {
    if (near || !element.current) return
    let isNear = false
    const make = (): void => setNear(true)
    const observer = new IntersectionObserver(
      (entries) => {
        isNear = entries.at(-1)?.isIntersecting ?? false
        if (isNear) void load.current().then(() => isNear && takeTurn(make))
        else waiting.delete(make)
      },
      { rootMargin: '800px' },
    )
    observer.observe(element.current)
    return () => {
      isNear = false
      observer.disconnect()
      waiting.delete(make)
    }
  }, [element, near])
  return near
}
