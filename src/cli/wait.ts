import { setTimeout as sleep } from 'node:timers/promises'
import { TrueupError } from '../lib/errors/error.ts'

const POLL_MS = 300

/** Asks again until `done` says yes; TIMED_OUT after `timeoutMs`. `show` is told every answer. */
export async function waitFor<T>(
  ask: () => Promise<T>,
  done: (answer: T) => boolean,
  options: { doing: string; timeoutMs: number; signal: AbortSignal; show?: (answer: T) => void },
): Promise<T> {
  const until = Date.now() + options.timeoutMs
  const next = 'It goes on without this command; look again later.'
  const interrupted = (): TrueupError =>
    new TrueupError('CANCELED', { doing: options.doing, why: 'it was interrupted', next })
  for (;;) {
    // An interrupted question is not what the person waited for, and changes nothing.
    const answer = await ask().catch((error: unknown) => Promise.reject(options.signal.aborted ? interrupted() : error))
    options.show?.(answer)
    if (done(answer)) return answer
    if (options.signal.aborted) throw interrupted()
    if (Date.now() > until) {
      const why = `it took more than ${Math.round(options.timeoutMs / 1000)} s`
      throw new TrueupError('TIMED_OUT', { doing: options.doing, why, next })
    }
    // An interruption is told above, whether it came during the sleep or before.
    await sleep(POLL_MS, undefined, { signal: options.signal }).catch(() => {})
  }
}
