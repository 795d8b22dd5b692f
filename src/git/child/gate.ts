/** Lets `width` through at once and `queue` wait; null for those beyond. The answer gives the place back. */
export interface Gate {
  enter(): Promise<(() => void) | null>
}

export function createGate(width: number, queue: number): Gate {
  let inside = 0
  const waiting: (() => void)[] = []
  const leave = (): void => {
    const next = waiting.shift()
    if (next) next()
    else inside--
  }
  const place = (): (() => void) => {
    let left = false
    return () => {
      if (!left) leave()
      left = true
    }
  }
  return {
    async enter() {
      if (inside < width) {
        inside++
        return place()
      }
      if (waiting.length >= queue) return null
      await new Promise<void>((resolve) => waiting.push(resolve))
      return place()
    },
  }
}
