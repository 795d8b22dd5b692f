import type { ServerEvent } from '../../domain/wire/worker-protocol.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import type { WorkerApi } from '../../engine/worker/worker-api.ts'

/** Events for workers that poll instead of keeping a socket. */
export interface Mailboxes {
  /**
   * The events since the last call, at once where there are any, otherwise after the first one or `waitMs`. UNAUTHENTICATED
   * as soon as the worker is revoked.
   */
  take(workerId: string, waitMs: number, signal: AbortSignal): Promise<ServerEvent[]>
  close(): void
}

interface Mailbox {
  events: ServerEvent[]
  wake: () => void
  unsubscribe: () => void
  /** The worker was revoked while it waited. */
  cut: boolean
  expiry: NodeJS.Timeout
}

/** A worker that has not polled for this long counts as gone. */
const EXPIRES_MS = 90_000
/** Events are hints that are repeated by heartbeat and hello, so the oldest may go. */
const MAX_EVENTS = 1000

export function createMailboxes(api: Pick<WorkerApi, 'subscribe'>): Mailboxes {
  const boxes = new Map<string, Mailbox>()
  const remove = (workerId: string): void => {
    const box = boxes.get(workerId)
    if (!box) return
    boxes.delete(workerId)
    clearTimeout(box.expiry)
    box.unsubscribe()
    box.wake()
  }
  const open = (workerId: string): Mailbox => {
    const known = boxes.get(workerId)
    if (known) {
      known.expiry.refresh()
      return known
    }
    const box: Mailbox = {
      // Nobody was told of what came before.
      events: [{ event: 'work' }],
      wake: () => {},
      cut: false,
      unsubscribe: api.subscribe(
        workerId,
        (event) => {
          box.events.push(event)
          if (box.events.length > MAX_EVENTS) box.events.shift()
          box.wake()
        },
        () => {
          box.cut = true
          remove(workerId)
        },
      ),
      expiry: setTimeout(() => remove(workerId), EXPIRES_MS),
    }
    boxes.set(workerId, box)
    return box
  }
  return {
    async take(workerId, waitMs, signal) {
      const box = open(workerId)
      if (box.events.length === 0 && !signal.aborted) {
        await new Promise<void>((resolve) => {
          const done = (): void => {
            clearTimeout(timer)
            signal.removeEventListener('abort', done)
            resolve()
          }
          const timer = setTimeout(done, waitMs)
          signal.addEventListener('abort', done, { once: true })
          box.wake()
          box.wake = done
        })
      }
      if (box.cut)
        throw new TrueupError('UNAUTHENTICATED', {
          doing: 'waiting for events',
          why: 'this worker was revoked',
          next: 'Enrol the worker with a new token: `trueup worker enrol`.',
        })
      return box.events.splice(0)
    },
    close() {
      for (const workerId of boxes.keys()) remove(workerId)
    },
  }
}
