import { randomBytes } from 'node:crypto'
import type { Change, ChangeFeed } from '../../store/open.ts'

/** A change as clients see it: `id` is what they send back as Last-Event-ID. */
export interface NumberedChange {
  id: string
  change: Change
}

/** The recent past of the store's changes, so that a client that lost its connection misses nothing. */
export interface ChangeHub {
  /**
   * Everything after `lastEventId`, or null when that is too long ago (or of an earlier server process): the client
   * must then read everything anew.
   */
  since(lastEventId: string): NumberedChange[] | null
  subscribe(listener: (changes: readonly NumberedChange[]) => void): () => void
  /** Id of the newest change. */
  head(): string
  close(): void
}

const KEEP = 10_000
/** Changes of one thing within this time are told once: a run that logs would otherwise flood every browser. */
const COALESCE_MS = 40

/** Follows the store's change feed. Topics that only the server itself understands are left out. */
export function createChangeHub(feed: ChangeFeed): ChangeHub {
  const epoch = randomBytes(4).toString('hex')
  const listeners = new Set<(changes: readonly NumberedChange[]) => void>()
  const kept: NumberedChange[] = []
  let pending = new Map<string, Change>()
  let sequence = 0
  let timer: NodeJS.Timeout | undefined

  const flush = (): void => {
    timer = undefined
    const batch = [...pending.values()].map((change) => ({ id: `${epoch}-${++sequence}`, change }))
    pending = new Map()
    kept.push(...batch)
    if (kept.length > KEEP * 2) kept.splice(0, kept.length - KEEP)
    for (const listener of listeners) listener(batch)
  }
  const unsubscribe = feed.subscribe((changes) => {
    for (const change of changes) {
      if (change.topic === 'task') continue
      pending.set(`${change.topic} ${change.id}`, change)
    }
    if (pending.size > 0) timer ??= setTimeout(flush, COALESCE_MS)
  })
  return {
    since(lastEventId) {
      const [of, number] = lastEventId.split('-')
      const after = Number(number)
      const oldest = sequence - kept.length
      if (of !== epoch || !Number.isInteger(after) || after < oldest || after > sequence) return null
      return kept.slice(after - oldest)
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    head: () => `${epoch}-${sequence}`,
    close() {
      clearTimeout(timer)
      unsubscribe()
      listeners.clear()
    },
  }
}
