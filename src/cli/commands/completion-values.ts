import { Argument } from 'commander'
import type { Cli, CommandModule } from '../cli.ts'
import { KINDS, type ValueKind } from '../completion-kinds.ts'
import { findConnection } from '../settings.ts'

/** Nobody waits longer for a shell to complete a word. */
const PATIENCE_MS = 2_000

/** `trueup completion-values KIND`: what the completion scripts ask for, a value a line; nothing where it cannot be known. */
export const completionValuesCommand: CommandModule = (program, cli) => {
  program
    .command('completion-values')
    .description('names that exist, a line each: what the completion scripts ask for')
    .addArgument(new Argument('<kind>').choices(KINDS))
    .addHelpText('after', '\nExample:\n  $ trueup completion-values stack')
    .action(async (kind: ValueKind, _options, command) => {
      const { valuesOf } = await import('../completion-values.ts')
      const { createClient } = await import('../client.ts')
      const signal = AbortSignal.any([cli.signal, AbortSignal.timeout(PATIENCE_MS)])
      const connection = findConnection(cli.env, { url: command.optsWithGlobals().url })
      const hurried: Cli = { ...cli, signal, client: () => createClient(connection, { signal }) }
      // A word that cannot be completed is no error to be shown in the middle of a command line.
      const values = await valuesOf(hurried, command, kind).catch(() => [])
      cli.streams.out.write(values.map((value) => `${value}\n`).join(''))
    })
}
