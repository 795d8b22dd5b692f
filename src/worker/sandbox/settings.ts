import { InvalidArgumentError } from 'commander'
import { parseEndpoint } from '../../domain/sandbox/endpoint.ts'

/**
 * Which runs plan in a sandbox: `auto` those of code that nobody vouches for and of stacks that ask for it, `require` all,
 * `off` none, and what must have one is refused.
 */
export const SANDBOX_MODES = ['auto', 'require', 'off'] as const
export type SandboxMode = (typeof SANDBOX_MODES)[number]

/** What one tool may use up. */
export interface Limits {
  /** MiB of memory of all its processes together, and of each alone. */
  memory: number
  /** Processes and threads. */
  processes: number
  /** Files that a process holds open. */
  openFiles: number
  /** MiB of one file. */
  fileSize: number
  /** Seconds of processor time of a process. */
  cpu: number
  /** MiB that workspace and cache of the run may hold together; of a private /tmp too. */
  disk: number
}

export const DEFAULT_LIMITS: Limits = {
  memory: 4096,
  processes: 1024,
  openFiles: 8192,
  fileSize: 2048,
  cpu: 3600,
  disk: 8192,
}

/** What an operator sets for the sandboxes of a worker. */
export interface SandboxSettings {
  mode: SandboxMode
  /** Further files and directories that are seen inside, read-only: tools, mirrors, certificates. Absolute. */
  read: readonly string[]
  /** What every run may reach, whatever its stack says: `registry.opentofu.org:443`, `*.example.org:443`. */
  allow: readonly string[]
  limits: Limits
  /** Directories that nobody sees inside: those of a server on the same machine. Absolute. */
  hide: readonly string[]
}

export const NO_SANDBOX: SandboxSettings = { mode: 'off', read: [], allow: [], limits: DEFAULT_LIMITS, hide: [] }

/** `memory=2048,cpu=600`: what is not named keeps its default. */
export function parseLimits(text: string): Limits {
  const limits = { ...DEFAULT_LIMITS }
  for (const part of text.split(',').filter(Boolean)) {
    const [, name = '', number] = /^(\w+)=(\d{1,9})$/.exec(part.trim()) ?? []
    if (!Object.hasOwn(limits, name) || Number(number) < 1)
      throw new InvalidArgumentError(
        `NAME=NUMBER with the names ${Object.keys(limits).join(', ')} is needed, not "${part}".`,
      )
    limits[name as keyof Limits] = Number(number)
  }
  return limits
}

/** Host and port of each, checked. */
export function parseAllowed(text: string): string[] {
  const entries = text
    .split(',')
    .map((each) => each.trim())
    .filter(Boolean)
  for (const entry of entries)
    if (parseEndpoint(entry) === null)
      throw new InvalidArgumentError(`HOST:PORT is needed, such as registry.opentofu.org:443, not "${entry}".`)
  return entries
}
