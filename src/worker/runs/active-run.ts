import { TrueupError } from '../../lib/errors/error.ts'
import type { Grant } from '../protocol.ts'

/** Why a run is stopped from outside. The first reason counts. */
export type StopReason =
  | { kind: 'canceled'; why: string }
  | { kind: 'lease_lost'; why: string }
  | { kind: 'timed_out'; why: string }
  | { kind: 'shutdown'; why: string }

/** A run in this runner's hands. */
export interface ActiveRun {
  readonly grant: Grant
  /** Aborts with a TrueupError; tools then get SIGINT and the grace. */
  readonly signal: AbortSignal
  /** Tools get SIGKILL at once. */
  readonly killSignal: AbortSignal
  readonly stopped: StopReason | undefined
  /** Aborts when a newer change of the stack follows: waits for what is written already are over. */
  readonly replaced: AbortSignal
  /** True from just before the tool may change something until it no longer does. */
  applying: boolean
  stop(reason: StopReason): void
  /** A newer change waits for the end of this one: `replaced` aborts after `REPLACED_GRACE_MS`. */
  replace(): void
  kill(): void
  /** Throws the error of the stop, if there was one. */
  check(): void
}

/**
 * Milliseconds that a change goes on being waited for when the next one is there: most are right by then, and count as
 * deployed; one that fails does not hold up its own fix.
 */
export const REPLACED_GRACE_MS = 10_000

export function activeRun(grant: Grant): ActiveRun {
  const stop = new AbortController()
  const kill = new AbortController()
  const replaced = new AbortController()
  let replacing: NodeJS.Timeout | undefined
  let stopped: StopReason | undefined
  return {
    grant,
    signal: stop.signal,
    replaced: replaced.signal,
    killSignal: kill.signal,
    applying: false,
    get stopped() {
      return stopped
    },
    stop(reason) {
      if (stopped) return
      stopped = reason
      stop.abort(stopError(reason))
    },
    replace() {
      replacing ??= setTimeout(() => replaced.abort(), REPLACED_GRACE_MS).unref()
    },
    kill: () => kill.abort(),
    check: () => stop.signal.throwIfAborted(),
  }
}

export function stopError(reason: StopReason): TrueupError {
  const doing = 'executing the run'
  switch (reason.kind) {
    case 'canceled':
      return new TrueupError('CANCELED', { doing, why: reason.why })
    case 'lease_lost':
      return new TrueupError('LEASE_LOST', { doing, why: reason.why })
    case 'timed_out':
      return new TrueupError('TIMED_OUT', {
        doing,
        why: reason.why,
        next: "Raise the stack's `timeout:` in trueup.yaml.",
      })
    case 'shutdown':
      return new TrueupError('CANCELED', { doing, why: reason.why })
  }
}
