import type { ProcessResult } from '../../lib/process/supervise.ts'

/** A program to run on a host. */
export interface HostRun {
  argv: string[]
  /** Absolute on the host; its private directory where absent. */
  cwd?: string
  /** Added to the environment; visible to other accounts of the host, so no secrets. */
  env?: { [name: string]: string }
  input?: string | Buffer
  /** It starts others in sessions of their own, which a cancel must end too. */
  guarded?: boolean
  /** Keeps its output out of the run's log. */
  quiet?: boolean
  timeoutMs?: number
  /** From the cancel to the kill, in milliseconds. */
  graceMs?: number
  maxOutputBytes?: number
  onLine?: (line: string, stream: 'stdout' | 'stderr') => void
}

/** What is put on a host: paths of the repository, and other directories of the worker by the name they get there. */
export interface Placed {
  paths: readonly string[]
  extra?: { readonly [name: string]: string }
}

/** Where the placed things are on the host. */
export interface Places {
  /** Root of the repository's paths. */
  root: string
  extra: { [name: string]: string }
}

/** One machine, local or over SSH, while the connection is open. */
export interface Host {
  /** As the stack calls it; empty for the worker's own machine. */
  readonly name: string
  /** Absolute private directory (0700) on the host, gone when the connection is. */
  readonly directory: string
  place(what: Placed): Promise<Places>
  /** Writes a file (0600) below `directory`. */
  write(path: string, content: string | Buffer): Promise<void>
  /** First `limit` bytes of a file, or null where there is none that can be read. Absolute path on the host. */
  read(path: string, limit: number): Promise<Buffer | null>
  /** Absolute path of the first of these programs that is there, or null. */
  which(names: readonly string[]): Promise<string | null>
  /** Any exit code is a result. @throws TARGET_UNREACHABLE when the connection is lost meanwhile. */
  run(spec: HostRun): Promise<ProcessResult>
  close(): Promise<void>
}

/** How the address of a resource on this host begins. */
export const addressPrefix = ({ name }: Pick<Host, 'name'>): string => (name === '' ? '' : `${name}/`)
