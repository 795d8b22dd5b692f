import { TrueupError } from '../../lib/errors/error.ts'
import { newId } from '../../lib/ids.ts'
import { canDo } from '../../domain/wire/versions.ts'
import { requireWorker } from '../../store/workers/workers.ts'
import type { EngineParts } from '../parts.ts'

/** A worker answers at once; under load and by long poll it takes a little. */
const ANSWER_MS = 30_000

/** Questions for the own logs of workers, and their answers. Nothing of these is stored. */
export interface LogRequests {
  /**
   * The newest lines of a worker's own log, oldest first.
   * @throws NOT_FOUND; CONFLICT where it is not connected, or gives its log to nobody; TIMED_OUT
   */
  ask(workerId: string, lines: number): Promise<string[]>
  /** What a worker sent; answers that nobody waits for are dropped. */
  answered(workerId: string, request: string, lines: readonly string[]): void
}

export function createLogRequests({ store, hub }: Pick<EngineParts, 'store' | 'hub'>): LogRequests {
  const waiting = new Map<string, { workerId: string; give: (lines: string[]) => void }>()
  return {
    async ask(workerId, lines) {
      const { name, info } = await requireWorker(store.db, workerId)
      const doing = `reading the log of worker ${name}`
      if (!hub.isConnected(workerId))
        throw new TrueupError('CONFLICT', {
          doing,
          why: 'it is not connected',
          next: 'Look at its log where it runs: `journalctl -u trueup-agent` or what its container has printed.',
        })
      if (!canDo(info['capabilities'], 'logs'))
        throw new TrueupError('CONFLICT', {
          doing,
          why: 'it gives its log to no server (--no-share-log, `shareLog: false`), or its version is too old to',
          next: 'Look at its log where it runs.',
        })
      const request = newId('log')
      const answer = Promise.withResolvers<string[]>()
      waiting.set(request, { workerId, give: answer.resolve })
      const late = setTimeout(
        () =>
          answer.reject(
            new TrueupError('TIMED_OUT', {
              doing,
              why: `it did not answer within ${ANSWER_MS / 1000} s`,
              next: 'Ask again; `trueup worker show` says when it was last heard of.',
            }),
          ),
        ANSWER_MS,
      )
      try {
        hub.send(workerId, { event: 'logs', request, lines })
        return await answer.promise
      } finally {
        clearTimeout(late)
        waiting.delete(request)
      }
    },
    answered(workerId, request, lines) {
      const asked = waiting.get(request)
      if (asked?.workerId === workerId) asked.give([...lines])
    },
  }
}
