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
  /** True from just before the tool may change something until it no longer does. */
  applying: boolean
  stop(reason: StopReason): void
  kill(): void
  /** Throws the error of the stop, if there was one. */
  check(): void
}

export function activeRun(grant: Grant): ActiveRun {
  const stop = new AbortController()
  const kill = new AbortController()
  let stopped: StopReason | undefined
  return {
    grant,
    signal: stop.signal,
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
