/** Places that people share: `width` are inside at once, `queue` wait. */
export interface Gate {
  /**
   * A place for one more request of this person, in its turn: the answer gives it back. null where too many wait, or
   * where the signal ended the wait.
   */
  enter(person: string, signal: AbortSignal): Promise<(() => void) | null>
}

interface Waiting {
  person: string
  enter: () => void
}

/**
 * Nobody takes more than half of the places, inside and waiting, and of those who wait the one with the fewest inside
 * comes first: however many requests one person has open, others get through.
 */
export function createGate(width: number, queue: number): Gate {
  const share = (places: number): number => Math.max(1, Math.ceil(places / 2))
  const inside = new Map<string, number>()
  const waiting: Waiting[] = []
  const insideOf = (person: string): number => inside.get(person) ?? 0
  const count = (): number => [...inside.values()].reduce((sum, held) => sum + held, 0)

  const place = (person: string): (() => void) => {
    inside.set(person, insideOf(person) + 1)
    let left = false
    return () => {
      if (left) return
      left = true
      const held = insideOf(person) - 1
      if (held > 0) inside.set(person, held)
      else inside.delete(person)
      admitNext()
    }
  }
  const admitNext = (): void => {
    if (count() >= width) return
    const may = waiting.filter(({ person }) => insideOf(person) < share(width))
    const next = may.sort((a, b) => insideOf(a.person) - insideOf(b.person))[0]
    if (!next) return
    waiting.splice(waiting.indexOf(next), 1)
    next.enter()
  }
  return {
    async enter(person, signal) {
      if (signal.aborted) return null
      if (count() < width && insideOf(person) < share(width)) return place(person)
      const own = waiting.filter((other) => other.person === person).length
      if (waiting.length >= queue || own >= share(queue)) return null
      return await new Promise<(() => void) | null>((resolve) => {
        const abandon = (): void => {
          waiting.splice(waiting.indexOf(entry), 1)
          resolve(null)
        }
        const entry: Waiting = {
          person,
          enter: () => {
            signal.removeEventListener('abort', abandon)
            resolve(place(person))
          },
        }
        waiting.push(entry)
        signal.addEventListener('abort', abandon, { once: true })
      })
    },
  }
}
