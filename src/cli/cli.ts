import type { Command } from 'commander'
import { createClient, type Client } from './client.ts'
import { createOutput, type Output, type Streams } from './output.ts'
import { findConnection } from './settings.ts'

/** Options that every command understands, before or after its own. */
export interface GlobalOptions {
  output: 'text' | 'json'
  url?: string
  /** Times as ISO 8601 instead of how long ago. */
  absolute?: boolean
  columns?: string[]
}

/** What a command module gets: the program's surroundings, and what depends on the global options of this call. */
export interface Cli {
  readonly streams: Streams
  readonly stdin: NodeJS.ReadableStream & { isTTY?: boolean; setRawMode?: (raw: boolean) => unknown }
  readonly env: NodeJS.ProcessEnv
  readonly cwd: string
  /** Aborted by the first SIGINT or SIGTERM; the second ends the process. */
  readonly signal: AbortSignal
  /** From here on the command handles SIGINT and SIGTERM itself. */
  readonly takeSignals: () => void
  output(command: Command): Output
  /** `data`: also look into this data directory for a running server and its administrator's token. */
  client(command: Command, options?: { data?: string }): Client
  /** The command did its work and there are changes (2), or findings (1). */
  exitWith(code: 0 | 1 | 2): void
}

export type CommandModule = (program: Command, cli: Cli) => void

export function createCli(surroundings: Omit<Cli, 'output' | 'client'>): Cli {
  return {
    ...surroundings,
    output(command) {
      const { output, absolute, columns, watch } = command.optsWithGlobals<GlobalOptions & { watch?: boolean }>()
      const wishes = { redrawn: watch === true, ...(absolute && { absolute }), ...(columns && { columns }) }
      return createOutput(surroundings.streams, output === 'json', wishes)
    },
    client(command, options = {}) {
      const { url } = command.optsWithGlobals<GlobalOptions>()
      return createClient(findConnection(surroundings.env, { url, data: options.data }), surroundings)
    },
  }
}
