/** How many may be in, and how many may wait. */
export interface PlaceLimits {
  atOnce: number
  /** Waiting in all. */
  waiting: number
  /** Waiting of one share: a person, or an address where nobody is known. */
  waitingOfOne: number
  /** Milliseconds that one waits at most. */
  patienceMs: number
  /**
   * Milliseconds after which a line is too long to be waited through: from then on of each share the one who came last is next, since
   * its client is still there when it is answered (B. Maurer, Fail at Scale, ACM Queue 13(8), 2015: "adaptive LIFO").
   */
  longMs: number
}

/** Why there was no place: too many of this share wait, too many wait, it took too long, or whoever waited went away. */
export type NoPlace = 'share full' | 'full' | 'too long' | 'gone'

/** Places that shares take turns for: one that asks a thousand times waits behind itself and not in front of others. */
export interface FairPlaces {
  /** Resolves with what gives the place back, or with why there is none. `gone`: whoever asks has left. */
  take(share: string, gone: AbortSignal): Promise<(() => void) | NoPlace>
  /** Whether anyone who comes now would be sent away. */
  readonly full: boolean
  readonly waiting: number
}

interface Waiter {
  since: number
  settle(outcome: (() => void) | NoPlace): void
}

export function createFairPlaces(limits: PlaceLimits): FairPlaces {
  /** Who waits, by share, in the order of the shares' turns; no empty lists. */
  const queues = new Map<string, Waiter[]>()
  let inside = 0
  let waiting = 0

  function giver(): () => void {
    inside++
    let given = false
    return () => {
      if (given) return
      given = true
      inside--
      next()
    }
  }

  /** The first of the share whose turn it is; the share goes behind all others. */
  function next(): void {
    const [first] = queues
    if (!first || inside >= limits.atOnce) return
    const [share, queue] = first
    const isLong = performance.now() - queue[0]!.since > limits.longMs
    const waiter = isLong ? queue.at(-1)! : queue[0]!
    queues.delete(share)
    queues.set(share, queue)
    waiter.settle(giver())
  }

  function forget(share: string, waiter: Waiter): void {
    const queue = queues.get(share) ?? []
    const at = queue.indexOf(waiter)
    if (at === -1) return
    queue.splice(at, 1)
    waiting--
    if (queue.length === 0) queues.delete(share)
  }

  return {
    get full() {
      return waiting >= limits.waiting
    },
    get waiting() {
      return waiting
    },
    async take(share, gone) {
      if (gone.aborted) return 'gone'
      if (inside < limits.atOnce && waiting === 0) return giver()
      const queue = queues.get(share) ?? []
      if (queue.length >= limits.waitingOfOne) return 'share full'
      if (waiting >= limits.waiting) return 'full'
      return await new Promise((resolve) => {
        const leave = (): void => waiter.settle('gone')
        const timer = setTimeout(() => waiter.settle('too long'), limits.patienceMs)
        const waiter: Waiter = {
          since: performance.now(),
          settle(outcome) {
            forget(share, waiter)
            clearTimeout(timer)
            gone.removeEventListener('abort', leave)
            resolve(outcome)
          },
        }
        gone.addEventListener('abort', leave, { once: true })
        queue.push(waiter)
        queues.set(share, queue)
        waiting++
      })
    },
  }
}
