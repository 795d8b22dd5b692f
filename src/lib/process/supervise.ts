import type { ProcessRegistry } from './registry.ts'

/** Contract of process supervision; `run.ts` keeps it. */
export interface ProcessSpec {
  /** Program and arguments; never a shell line. A program without a slash is looked up in `env.PATH`. */
  argv: string[]
  cwd?: string
  /** The whole environment; nothing is inherited. */
  env: { [name: string]: string }
  /** Bytes for standard input; closed at once where absent. */
  input?: string | Buffer
  /** Milliseconds after which the process group is ended. */
  timeoutMs?: number
  /** SIGINT → this many milliseconds → SIGKILL to the whole process group. Default 10 000. */
  graceMs?: number
  /** Bytes of stdout and of stderr that are kept (the first ones); the rest is counted and dropped. Default 16 MiB. */
  maxOutputBytes?: number
  /** Bytes of one line that `onLine` gets; a longer one is cut and says so. Default 64 KiB. */
  maxLineBytes?: number
  /** Called for every full line of either stream while the process runs, without its line end. */
  onLine?: (line: string, stream: 'stdout' | 'stderr') => void
  /**
   * Keeps the lines out of the run's log (`DriverContext.run` logs them otherwise): for machine output such as a plan as
   * JSON, which is long and may hold secrets. `onLine` is called all the same. No meaning outside `DriverContext.run`.
   */
  quiet?: boolean
  /**
   * Clears up after a run: a cancel of the run does not stop it, so it needs a time-out. No meaning outside
   * `DriverContext.run`.
   */
  clearing?: boolean
  /** Called with the id of the process right after its start. */
  onStart?: (pid: number) => void
  /** Ends the group: SIGINT once, grace, SIGKILL. */
  signal?: AbortSignal
  /** Ends the group with SIGKILL at once, also within the grace of `signal`. */
  kill?: AbortSignal
  /** Where the group is written down, so that a restarted program can end what a killed one left behind. */
  registry?: ProcessRegistry
}

export interface ProcessResult {
  exitCode: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
  /** Bytes that were dropped because of `maxOutputBytes`. */
  truncatedBytes: number
  /** Those of them that standard output lacks. */
  truncatedStdoutBytes: number
  timedOut: boolean
  /** The caller's signal ended it. */
  canceled: boolean
  durationMs: number
}

/** By what a process of a run is stopped: its own signal and that of the run, or by neither where it clears up. */
export function signalUnder(
  { signal, clearing }: Pick<ProcessSpec, 'signal' | 'clearing'>,
  ofRun: AbortSignal,
): Pick<ProcessSpec, 'signal'> {
  if (clearing) return {}
  return { signal: signal ? AbortSignal.any([signal, ofRun]) : ofRun }
}
