import { asTrueupError } from '../../../lib/errors/error.ts'
import { pause } from '../../../lib/retry.ts'
import type { Client } from '../cluster/client.ts'
import { pathOf, type Resource } from '../cluster/discovery.ts'
import type { Status } from '../cluster/failures.ts'
import { listAll } from '../cluster/live.ts'
import { keyOf, type KubeObject, refOf } from '../objects/object.ts'

/** What is followed: one kind in one namespace, or in all of them. */
export interface Collection {
  resource: Resource
  namespace: string
}

export interface CollectionEvents {
  /** The whole collection, at the start and after a gap. */
  onList(objects: readonly KubeObject[]): void
  /** One object; null: it is gone. */
  onChange(key: string, object: KubeObject | null): void
  /** From now on nothing is heard, until the next list or resumption. */
  onGap(why: string): void
  /** Hearing again without having missed anything. */
  onResume(): void
}

const PAUSES = { first: 400, longest: 30_000 }
/** The server ends a watch after this; an ending that is expected costs nothing. Seconds, as the API takes them. */
const WATCH_SECONDS = 290

interface WatchEvent {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR'
  object: KubeObject
}

/**
 * Lists once and then watches from there on, for as long as the signal allows
 * (https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes). A watch that breaks goes on at
 * the last version it has seen, bookmarks included; a version that the server has forgotten (410) leads to a new list. Never
 * throws but for the first list: its error is the caller's.
 */
export async function follow(
  client: Client,
  { resource, namespace }: Collection,
  events: CollectionEvents,
  signal: AbortSignal,
): Promise<void> {
  let version = await list()
  void goOn()

  async function list(): Promise<string> {
    const { objects, version: at } = await listAll(client, resource, namespace, signal)
    events.onList(objects)
    return at
  }

  async function goOn(): Promise<void> {
    let failures = 0
    let isOpen = true
    while (!signal.aborted) {
      try {
        if (version === '') version = await list()
        for await (const line of client.lines(watchCall(version))) {
          if (!isOpen) events.onResume()
          isOpen = true
          failures = 0
          version = take(JSON.parse(line) as WatchEvent)
          if (version === '') break
        }
        // The server ends watches as it likes; another one goes on where this one was.
        if (version !== '') continue
        throw new Error('the server has forgotten the version that was watched from')
      } catch (thrown) {
        if (signal.aborted) return
        const error = asTrueupError(thrown, `watching ${resource.plural}`)
        if (isGone(error.message)) version = ''
        events.onGap(error.message)
        isOpen = false
        await pause(++failures, PAUSES, signal)
      }
    }
  }

  /** The version to go on from; empty: list anew. */
  function take({ type, object }: WatchEvent): string {
    if (type === 'ERROR') {
      const { code, message } = object as unknown as Status
      if (code === 410) return ''
      throw new Error(message ?? `the watch ended with ${code}`)
    }
    if (type !== 'BOOKMARK') {
      object.apiVersion ??= resource.apiVersion
      object.kind ??= resource.kind
      events.onChange(keyOf(refOf(object)), type === 'DELETED' ? null : object)
    }
    return object.metadata.resourceVersion ?? ''
  }

  function watchCall(from: string) {
    const query = `watch=true&allowWatchBookmarks=true&timeoutSeconds=${WATCH_SECONDS}&resourceVersion=${from}`
    return { doing: `watching ${resource.plural}`, path: `${pathOf(resource, namespace)}?${query}`, signal }
  }
}

const isGone = (message: string): boolean => /too old resource version|forgotten the version|\bgone\b/i.test(message)
