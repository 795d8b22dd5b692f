import { asTrueupError, TrueupError } from '../../lib/errors/error.ts'
import type { CommandResult } from '../../domain/wire/plan-parts.ts'
import type { Params } from '../protocol.ts'
import type { ActiveRun } from './active-run.ts'

/** How a run ends on this worker; `left`: the server has taken it back with its decision. */
export type RunEnd =
  | { kind: 'left' }
  | { kind: 'finished'; status: Params<'finish'>['status']; error?: TrueupError; verify: CommandResult[] }

/** The end of a run that something was thrown in, before anything was changed. */
export function endOf(run: ActiveRun, thrown: unknown): RunEnd {
  // The server has ended the run meanwhile: there is nothing to report and nobody to report to.
  if (thrown instanceof TrueupError && thrown.code === 'LEASE_LOST')
    run.stop({ kind: 'lease_lost', why: thrown.text.why })
  switch (run.stopped?.kind) {
    case 'canceled':
      return { kind: 'finished', status: 'canceled', verify: [] }
    case 'shutdown':
      return { kind: 'finished', status: 'returned', verify: [] }
    case 'timed_out':
    case 'lease_lost':
      return { kind: 'finished', status: 'failed', error: stopError(run), verify: [] }
    case undefined:
      return { kind: 'finished', status: 'failed', error: asTrueupError(thrown, 'executing the run'), verify: [] }
  }
}

/** The error that the stop of a run stands for. */
export function stopError(run: ActiveRun): TrueupError {
  return asTrueupError(run.signal.reason, 'executing the run')
}
