import type { ProcessRegistry } from '../../lib/process/registry.ts'
import type { Link } from '../connection/connect.ts'
import type { Tracing } from '../../lib/tracing/span.ts'
import type { Logger } from '../logging.ts'
import type { Outbox } from '../outbox.ts'
import type { Room } from '../room.ts'
import type { Sandboxes } from '../sandbox/sandbox.ts'
import type { Workspaces } from '../workspace.ts'
import type { Source } from './source.ts'

/** What the execution of runs and watches needs of the runner. */
export interface RunnerParts {
  link: Link
  source: Source
  outbox: Outbox
  workspaces: Workspaces
  registry: ProcessRegistry
  sandboxes: Sandboxes
  room: Room
  log: Logger
  tracing: Tracing
  cacheRoot: string
  passEnv: readonly string[]
  graceMs: number
  /** The machine is gone with the run. */
  fleeting?: boolean
  /** The server's time as far as it is known, in milliseconds. */
  now(): number
}
