import type { KubeObject } from '../objects/object.ts'
import type { Session } from '../session.ts'
import { seenText } from './survey.ts'

/**
 * The live objects of a stack as its watches tell them. While everything is heard, a drift check needs no request at all.
 * Kept per process: the runner that watches is the one that checks.
 */
export class LiveCache {
  readonly #objects = new Map<string, KubeObject>()
  /** Text of what can be wanted of each object: changes of the status alone are none. */
  readonly #texts = new Map<string, string>()
  readonly #wanted: ReadonlySet<string>
  readonly #deaf = new Set<string>()

  constructor(wanted: ReadonlySet<string>) {
    this.#wanted = wanted
  }

  /** Everything is heard. */
  get isComplete(): boolean {
    return this.#deaf.size === 0
  }

  /** Whether these are among what is followed. */
  covers(keys: Iterable<string>): boolean {
    for (const key of keys) if (!this.#wanted.has(key)) return false
    return true
  }

  get(key: string): KubeObject | undefined {
    return this.#objects.get(key)
  }

  deafen(collection: string): void {
    this.#deaf.add(collection)
  }

  hear(collection: string): void {
    this.#deaf.delete(collection)
  }

  /** Takes an object over; true when more than its status has changed. */
  put(key: string, object: KubeObject | null): boolean {
    if (!this.#wanted.has(key)) return false
    const before = this.#texts.get(key)
    if (object === null) {
      this.#objects.delete(key)
      this.#texts.delete(key)
      return before !== undefined
    }
    const text = seenText(object)
    this.#objects.set(key, object)
    this.#texts.set(key, text)
    return before !== text
  }
}

const caches = new Map<string, LiveCache>()

/** The cache of a stack's watch in this process, where it has one that hears everything. */
export function liveCacheOf(session: Session): LiveCache | null {
  const cache = caches.get(nameOf(session))
  return cache?.isComplete ? cache : null
}

/** Makes it the cache of its stack, until the returned function is called. */
export function keepCache(session: Session, cache: LiveCache): () => void {
  const name = nameOf(session)
  caches.set(name, cache)
  return () => {
    if (caches.get(name) === cache) caches.delete(name)
  }
}

const nameOf = ({ owner, client }: Session): string => `${owner} ${client.access.identity}`
