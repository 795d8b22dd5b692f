/**
 * The one place of back-off. Pauses grow by a factor up to a longest one, and each is chance between nothing and that
 * ("full jitter", https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/): when a server is back after a
 * failure, the ten thousand that waited for it come one by one.
 *
 * | who tries again            | after what                                       | pauses          | until                   |
 * |----------------------------|--------------------------------------------------|-----------------|-------------------------|
 * | worker: connection         | any end of it; a new one is the only way on      | 500 ms … 30 s   | the worker stops        |
 * | worker: call over it       | retryable answers; all calls are idempotent      | 50 ms … 5 s     | answer, stop, own signal|
 * | worker: enrolment          | retryable answers; the token counts once         | 500 ms … 10 s   | answer, stop            |
 * | worker: files of a run     | broken transfer, retryable answer; begun anew    | 800 ms … 8 s    | 5 attempts              |
 * | worker: a watch's set-up   | any failure: drift would go unseen               | 5 s … 1 min     | watched, stopped        |
 * | command line: a request    | no answer, 503; writes carry one idempotency key | 300 ms … 2 s    | 4 attempts              |
 * | driver kubernetes: request | closed connection, 429, 502-504, etcd's 500;     | 200 ms … 5 s, or| 5 attempts, of 429: 40  |
 * |                            | all requests may be repeated                     | as it asks      |                         |
 * | driver kubernetes: watch   | any end but the server's regular one             | 400 ms … 30 s   | the watch is closed     |
 * | driver kubernetes: removal | others wrote the object meanwhile; it is read    | 40 ms … 400 ms  | 12 attempts             |
 * |                            | again                                            |                 |                         |
 * | server: follow-up task     | any failure; stored, so it outlives the process  | 2 s … 5 min, ×3 | done                    |
 * | server: git process, the   | death; none after the first one, or after a long | 200 ms … 5 s,   | the server stops        |
 * | built-in runner            | healthy life                                     | 500 ms … 30 s   |                         |
 *
 * Not here: heals (`domain/drift/backoff.ts`, a rule that people see), and polls, which wait for something that goes well.
 */
import { setTimeout as sleep } from 'node:timers/promises'

/** How pauses grow. Milliseconds; the mean of each is half of what stands here. */
export interface Pauses {
  /** The most that the pause after the first failure may be. */
  first: number
  longest: number
  /** Default 2. */
  factor?: number
}

/**
 * Milliseconds to wait after so many failures in a row; 0 where there was none.
 * @param chance in [0, 1): for tests.
 */
export function pauseAfter(failures: number, { first, longest, factor = 2 }: Pauses, chance = Math.random()): number {
  if (failures < 1) return 0
  return Math.floor(chance * Math.min(longest, first * factor ** (failures - 1)))
}

/** Waits after so many failures in a row, for loops that never give up. Ends early, without an error, at the signal. */
export async function pause(failures: number, pauses: Pauses, signal?: AbortSignal): Promise<void> {
  await waitFor(pauseAfter(failures, pauses), signal).catch(() => {})
}

/** What came of an attempt. */
export type Outcome<T> = { ok: true; value: T } | { ok: false; thrown: unknown }

export interface RetryOptions<T> {
  pauses: Pauses
  /** Attempts in all; absent: until one goes well. */
  attempts?: number
  /** No attempt and no pause outlives it; `retry` then throws its reason. */
  signal?: AbortSignal
  /**
   * Whether another attempt may go better. A number says so too, and how many milliseconds the other side asked us to stay
   * away: they come before the pause, since all were told the same number.
   */
  again: (outcome: Outcome<T>) => boolean | number
  /** Called before each pause: to log, or to clear away what the attempt left. */
  onAgain?: (outcome: Outcome<T>) => void | Promise<void>
}

/** The value of the first attempt that is not to be made again, or of the last one; throws what that one threw. */
export async function retry<T>(attempt: () => Promise<T>, options: RetryOptions<T>): Promise<T> {
  const { pauses, attempts = Number.POSITIVE_INFINITY, signal, again, onAgain } = options
  for (let failures = 1; ; failures++) {
    signal?.throwIfAborted()
    const outcome = await outcomeOf(attempt)
    const asked = failures < attempts && again(outcome)
    if (asked === false) {
      if (outcome.ok) return outcome.value
      throw outcome.thrown
    }
    await onAgain?.(outcome)
    await waitFor((asked === true ? 0 : asked) + pauseAfter(failures, pauses), signal)
  }
}

async function outcomeOf<T>(attempt: () => Promise<T>): Promise<Outcome<T>> {
  try {
    return { ok: true, value: await attempt() }
  } catch (thrown) {
    return { ok: false, thrown }
  }
}

/** The longest that a timer of Node can run: more would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1

/** Throws the signal's own reason, where Node's timer would throw an error of its own around it. */
async function waitFor(ms: number, signal?: AbortSignal): Promise<void> {
  try {
    await sleep(Math.min(ms, MAX_TIMER_MS), undefined, { signal })
  } catch (error) {
    signal?.throwIfAborted()
    throw error
  }
}
