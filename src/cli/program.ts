import { Command, Option } from 'commander'
import type { Cli, CommandModule } from './cli.ts'
import { VERSION } from '../lib/version.ts'

/**
 * The command line of these modules. `quiet`: what is wrong with the line is only thrown, for whoever prints errors in another
 * form.
 */
export function buildProgram(
  cli: Cli,
  modules: readonly CommandModule[],
  { quiet = false }: { quiet?: boolean } = {},
): Command {
  const program = new Command('trueup')
    .description('Self-hosted GitOps for everything a team runs.')
    .version(VERSION, '-V, --version', 'print the version')
    .addOption(new Option('-o, --output <format>', 'what goes to stdout').choices(['text', 'json']).default('text'))
    .addOption(new Option('--url <url>', 'address of the server (default: TRUEUP_URL, or the stored login)'))
    .option('--absolute', 'times as ISO 8601 instead of how long ago')
    .addOption(
      new Option('--columns <names>', 'columns of the table, as a,b,c').argParser((text) =>
        text
          .toLowerCase()
          .split(',')
          .map((name) => name.trim().replaceAll(' ', '-')),
      ),
    )
    .helpCommand('help [command]', 'show the help of a command')
    .showHelpAfterError(quiet ? false : '(add --help for what it takes)')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => cli.streams.out.write(text),
      writeErr: (text) => cli.streams.err.write(text),
      outputError: (text, write) => (quiet ? undefined : write(text)),
      getOutHelpWidth: () => cli.streams.out.columns ?? 100,
      getErrHelpWidth: () => cli.streams.err.columns ?? 100,
    })
    .addHelpText(
      'after',
      `
Exit codes: 0 it worked; 1 it did not, or problems were found; 2 it worked and there are changes.

Examples:
  $ trueup up                    start a server with everything embedded
  $ trueup init                  write trueup.yaml for the repository you stand in
  $ trueup plan                  what would change, also of uncommitted work`,
    )
  for (const register of modules) register(program, cli)
  for (const command of everyCommand(program)) {
    command.exitOverride()
    command.copyInheritedSettings(program)
  }
  return program
}

/** The command and all below it, itself first. */
export function* everyCommand(command: Command): Generator<Command> {
  yield command
  for (const child of command.commands) yield* everyCommand(child)
}
