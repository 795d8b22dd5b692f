import { runnerOptionsOf, withRunnerOptions } from '../../worker/options.ts'
import type { CommandModule } from '../cli.ts'

/** `trueup runner`: a worker on this machine, in the foreground; what `worker enrol` gives the token for. */
export const runnerCommand: CommandModule = (program, cli) => {
  withRunnerOptions(
    program.command('runner').description('lease runs from a server and execute them on this machine, until Ctrl-C'),
  )
    .addHelpText(
      'after',
      `
The token is needed for the first start only: the worker then has a key of its own in its data directory. The first
Ctrl-C or SIGTERM lets running work end, the second stops it. The log goes to stderr (TRUEUP_LOG_LEVEL).

Example:
  $ trueup runner --server https://trueup.example.org --token-file token --pools prod-agents --data /var/lib/trueup-runner`,
    )
    .action(async (_options, command) => {
      const { runInForeground } = await import('../../worker/foreground.ts')
      const { createLogger } = await import('../../worker/logging.ts')
      const options = runnerOptionsOf(command, cli.env)
      cli.takeSignals()
      await runInForeground(options, createLogger())
      // As the process of its own that it otherwise is: nothing that a library left open holds it.
      process.exit()
    })
}
