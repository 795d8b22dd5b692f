import type { Grant, Params } from '../protocol.ts'
import type { Sandbox } from '../sandbox/sandbox.ts'
import type { Workspace } from '../workspace.ts'
import type { ActiveRun } from './active-run.ts'
import { holdBefore } from './fault-hold.ts'
import type { LogStream } from './log-stream.ts'
import type { Masker } from './masking.ts'
import type { RunTrace } from '../tracing/run-trace.ts'
import type { RunnerParts } from './parts.ts'

/** A run while it is executed. */
export interface Execution {
  run: ActiveRun
  grant: Grant
  parts: RunnerParts
  masker: Masker
  log: LogStream
  trace: RunTrace
  workspace: Workspace
  /** Those that were opened; closed with the run. */
  sandboxes: Sandbox[]
  /** `HOST:PORT` that tools were not let to reach, and the server has not heard of. */
  egressRefused: Set<string>
}

/** Tells the server where the run is. */
export async function enter({ grant, run, parts }: Execution, state: Params<'state'>['state']): Promise<void> {
  await holdBefore(grant.stack.name, state, run.signal)
  await parts.link.deliver('state', { runId: grant.runId, fence: grant.fence, state }, run.signal)
  run.check()
}
