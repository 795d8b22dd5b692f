import type { QueryClient } from '@tanstack/react-query'
import { useSyncExternalStore } from 'react'
import { hearFrom, hearNothing } from './as-of.ts'

/** First words of the query keys that a change of each topic makes old. */
const AFFECTED: Record<string, readonly string[]> = {
  repository: ['repositories'],
  ref: ['mr', 'mrs'],
  mr: ['mr', 'mrs', 'comments', 'stack'],
  stack: ['stack', 'matrix', 'overview', 'stacks'],
  run: ['run', 'runs', 'mr', 'stack'],
  deployment: ['deployments', 'stack', 'metrics', 'places'],
  drift: ['drift', 'stack', 'matrix'],
  worker: ['workers'],
  freeze: ['environments', 'overview'],
  notice: ['environments', 'overview'],
  settings: ['members', 'teams', 'users', 'variables', 'session', 'repositories', 'environments'],
}
/** A burst of changes asks once; still well below a second, so that two people see each other's acts at once. */
const GATHER_MS = 200

export type Connection = 'live' | 'connecting' | 'lost'
let connection: Connection = 'connecting'
const watchers = new Set<() => void>()
const logListeners = new Map<string, Set<() => void>>()

function setConnection(next: Connection): void {
  connection = next
  for (const watcher of watchers) watcher()
}

export const useConnection = (): Connection =>
  useSyncExternalStore(
    (watcher) => {
      watchers.add(watcher)
      return () => watchers.delete(watcher)
    },
    () => connection,
  )

/** Calls `listener` whenever the log of a run has grown. */
export function onLog(run: string, listener: () => void): () => void {
  const known = logListeners.get(run) ?? new Set()
  logListeners.set(run, known.add(listener))
  return () => known.delete(listener)
}

/**
 * The one stream of changes of this page. Browsers reconnect by themselves with the id of the last event; after a restart
 * of the server or a long sleep it says `reset`, and everything on the screen is asked for anew. It begins where the oldest answer on the
 * page ends, so that nothing falls between the two.
 */
export function followChanges(client: QueryClient): () => void {
  let source: EventSource | undefined
  let again: number | undefined
  let gathered = new Set<string>()
  let timer: number | undefined
  const flush = (): void => {
    timer = undefined
    const words = gathered
    gathered = new Set()
    void client.invalidateQueries({ predicate: ({ queryKey }) => words.has(String(queryKey[0])) })
  }
  const connect = (): void => {
    const after = hearFrom(() => void client.invalidateQueries())
    source = new EventSource(after === null ? '/api/v1/events' : `/api/v1/events?after=${after}`)
    source.addEventListener('open', () => {
      // What happened while nothing was connected may have no event of its own.
      if (connection === 'lost') void client.invalidateQueries()
      setConnection('live')
    })
    source.addEventListener('change', (event) => {
      const { topic, id } = JSON.parse(event.data as string) as { topic: string; id: string }
      if (topic === 'log') for (const listener of logListeners.get(id) ?? []) listener()
      for (const word of AFFECTED[topic] ?? []) gathered.add(word)
      if (gathered.size > 0) timer ??= window.setTimeout(flush, GATHER_MS)
    })
    source.addEventListener('reset', () => void client.invalidateQueries())
    source.addEventListener('error', () => {
      setConnection('lost')
      // A refused stream is closed for good by the browser, a broken one is not.
      if (source?.readyState === EventSource.CLOSED) again = window.setTimeout(connect, 2_000)
    })
  }
  connect()
  return () => {
    source?.close()
    hearNothing()
    window.clearTimeout(again)
    window.clearTimeout(timer)
    setConnection('connecting')
  }
}
