import type { ServerResponse } from 'node:http'
import type { ChangeHub, NumberedChange } from './hub.ts'

export interface StreamOptions {
  hub: ChangeHub
  response: ServerResponse
  lastEventId: string | undefined
  /** Whether this client may see the change; asked for each, so it should be quick. */
  maySee(change: NumberedChange['change']): Promise<boolean>
  /** Asked at every heartbeat, and at once after a change of what is named here: false ends the stream (token revoked, user disabled). */
  stillAllowed(): Promise<boolean>
  /** Ids of the token and the account that listen. */
  standsOn: readonly string[]
  signal: AbortSignal
}

export const HEARTBEAT_MS = 15_000
/** A reader that leaves more than this unread is cut off; it comes back with Last-Event-ID and catches up. */
const MAX_UNREAD_BYTES = 1024 * 1024

/**
 * Writes server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html) until the client goes, the
 * server stops or the right to listen ends. Events: `change` with a change as data, and `reset` where the past that the
 * client asked for is gone: it must read everything anew.
 */
export async function streamChanges(options: StreamOptions): Promise<void> {
  const { hub, response, signal } = options
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
    'x-content-type-options': 'nosniff',
  })
  // One writer at a time keeps the order although `maySee` is asynchronous.
  let work = Promise.resolve()
  const look = (): void => {
    options.stillAllowed().then((allowed) => {
      if (!allowed) end()
    }, end)
  }
  const queue = (changes: readonly NumberedChange[]): void => {
    if (changes.some(({ change }) => change.topic === 'settings' && options.standsOn.includes(change.id))) look()
    work = work.then(() => write(changes)).catch(end)
  }
  const write = async (changes: readonly NumberedChange[]): Promise<void> => {
    for (const { id, change } of changes) {
      if (response.destroyed || !(await options.maySee(change))) continue
      response.write(`id: ${id}\nevent: change\ndata: ${JSON.stringify(change)}\n\n`)
      if (response.writableLength > MAX_UNREAD_BYTES) response.destroy()
    }
  }
  const end = (): void => void response.end()
  const unsubscribe = hub.subscribe(queue)
  const past = options.lastEventId === undefined ? [] : hub.since(options.lastEventId)
  response.write(past === null ? `id: ${hub.head()}\nevent: reset\ndata: {}\n\n` : ': hello\n\n')
  queue(past ?? [])
  const heartbeat = setInterval(() => {
    response.write(': alive\n\n')
    look()
  }, HEARTBEAT_MS)
  signal.addEventListener('abort', end, { once: true })
  if (signal.aborted) end()
  await new Promise<void>((resolve) => response.once('close', resolve))
  clearInterval(heartbeat)
  unsubscribe()
  signal.removeEventListener('abort', end)
}
