import type { CommandModule } from '../cli.ts'
import { dataDirectory } from '../settings.ts'

/** `trueup doctor`: what this machine has and lacks for a server, a runner and the local commands. */
export const doctorCommand: CommandModule = (program, cli) => {
  program
    .command('doctor')
    .description('check this machine: runtime, git, tools, limits, data directory, server')
    .option('--data <directory>', 'data directory of a server on this machine')
    .option('--repair', 'mend damaged Git repositories of the data directory; the server must be stopped')
    .addHelpText(
      'after',
      '\nExit code 1 when something that Trueup needs is missing. Missing tools of drivers are only told.',
    )
    .action(async (options: { data?: string; repair?: boolean }, command) => {
      const { examine } = await import('../doctor/examine.ts')
      const output = cli.output(command)
      output.progress('looking…')
      const dataDir = dataDirectory(cli.env, options.data)
      const { repairRepositories } = await import('../doctor/repositories.ts')
      const checks = options.repair
        ? await repairRepositories(dataDir)
        : await examine({ env: cli.env, dataDir, client: cli.client(command, options) })
      output.endProgress()
      const style = { ok: 'green', note: 'dim', warning: 'yellow', error: 'red' } as const
      const ok = checks.every(({ state }) => state !== 'error')
      output.result({ ok, checks }, ({ table, wrap }) => {
        const findings = table(
          ['check', 'state', 'finding'],
          checks.map(({ name, state, finding }) => [name, output.paint(style[state], state), finding]),
        )
        const advice = checks.flatMap(({ name, next }) => (next ? [wrap(`${name}: ${next}`)] : []))
        return [findings, ...(advice.length > 0 ? [advice.join('\n')] : [])].join('\n\n')
      })
      if (!ok) cli.exitWith(1)
    })
}
