import { setTimeout as sleep } from 'node:timers/promises'
import { asTrueupError } from '../../lib/errors/error.ts'
import { CallAnswer, EventsHeard, WORKER_PATHS, type Method, type Params, type Result } from '../protocol.ts'
import { checkParams, readAnswer, type Connection, type OnEvent } from './connection.ts'
import { parseAnswer, type HttpClient } from './http.ts'

const WAIT_MS = 25_000
const CALL_MS = 30_000
const PAUSE_AFTER_EMPTY_MS = 50

/** Calls by POST, events by long polls. Used where no WebSocket gets through; works behind any HTTP proxy. */
export function openLongPoll(http: HttpClient, onEvent: OnEvent): Connection {
  const over = new AbortController()
  const closed = poll(http, onEvent, over.signal)
  return {
    kind: 'long-poll',
    closed,
    close: () => over.abort(),
    async call<M extends Method>(method: M, params: Params<M>): Promise<Result<M>> {
      const body = { method, params: checkParams(method, params) }
      const answer = await http.request({ method: 'POST', path: WORKER_PATHS.call, body, timeoutMs: CALL_MS })
      const json: unknown = await answer.json().catch(() => null)
      return readAnswer(method, parseAnswer(CallAnswer, json, `calling ${method}`))
    },
  }
}

/** Polls until a poll fails or the connection is closed; resolves with the reason. */
async function poll(http: HttpClient, onEvent: OnEvent, signal: AbortSignal): Promise<string> {
  try {
    while (!signal.aborted) {
      const path = `${WORKER_PATHS.events}?waitMs=${WAIT_MS}`
      const answer = await http.request({ method: 'GET', path, timeoutMs: WAIT_MS + 15_000, signal })
      const batch = parseAnswer(EventsHeard, await answer.json().catch(() => null), 'polling for events')
      for (const event of batch.events) onEvent(event)
      // A server or proxy that answers at once must not be asked in a tight loop.
      if (batch.events.length === 0) await sleep(PAUSE_AFTER_EMPTY_MS)
    }
    return 'closed by this runner'
  } catch (thrown) {
    return signal.aborted ? 'closed by this runner' : asTrueupError(thrown, 'polling for events').message
  }
}
