import type { Json } from '../lib/json.ts'
import type { Params } from '../domain/wire/worker-protocol.ts'
import type { Run } from '../store/runs/runs.ts'

/** What `applied` leaves on the run; read again when it ends or is lost. */
export type Applied = Omit<Params<'applied'>, 'runId' | 'fence'>

/** Members of a run's `result` beside this one are left alone. */
export const withApplied = (run: Pick<Run, 'result'>, applied: Applied): Json =>
  ({ ...(run.result as object | null), applied }) as unknown as Json

export const appliedOf = (run: Pick<Run, 'result'>): Applied | null =>
  (run.result as unknown as { applied?: Applied } | null)?.applied ?? null
