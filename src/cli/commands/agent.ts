import { TrueupError } from '../../lib/errors/error.ts'
import type { CommandModule } from '../cli.ts'

interface Options {
  config: string
  git?: string
  check: boolean
  rotateKey: boolean
}

/** `trueup agent`: a worker inside, which applies only what its own signers have signed. */
export const agentCommand: CommandModule = (program, cli) => {
  const agent = program
    .command('agent')
    .description(
      'pull what is signed from a server, or from any Git repository, and apply it on this machine, until Ctrl-C',
    )
    .option('--config <file>', "the agent's configuration, in YAML", '/etc/trueup/agent.yaml')
    .option('--rotate-key', 'replace the key of this agent by a new one', false)
    .option('--git <url>', 'work without a server, from this Git repository')
    .option('--check', 'read the configuration, say whether it is in order, and end', false)
    .addHelpText(
      'after',
      `
It dials out only. With a server the token is needed for the first start only: the agent then has a key of its own in its
data directory. Without one (--git, or \`git:\` in the configuration) it follows a branch. The first Ctrl-C or SIGTERM lets
running work end, the second stops it. The log goes to stderr (TRUEUP_LOG_LEVEL). docs/concepts/agents.md has the keys of
the configuration.

Examples:
  $ trueup agent --config /etc/trueup/agent.yaml
  $ trueup agent --git https://git.example.org/shop.git
  $ trueup agent status`,
    )
    .action(async ({ config, git, check, rotateKey }: Options, command) => {
      const { readAnyConfig } = await import('../../worker/agent/standalone/any-config.ts')
      const settings = readAnyConfig(config, git)
      const { options, repositories } = settings.agent
      if (rotateKey && options.server === '')
        throw new TrueupError('INVALID_REQUEST', {
          doing: 'replacing the key of the agent',
          why: 'an agent without a server has none',
          next: 'Leave --rotate-key out.',
        })
      if (check) {
        const told = { ok: true, server: options.server || null, repositories: Object.keys(repositories) }
        cli.output(command).result(told, () => `${config} is in order`)
        return
      }
      const { runInForeground } = await import('../../worker/foreground.ts')
      const { createLogger } = await import('../../worker/logging.ts')
      cli.takeSignals()
      await runInForeground({ ...options, rotateKey }, createLogger(), await settings.way())
      // As the process of its own that it otherwise is: nothing that a library left open holds it.
      process.exit()
    })
  agent
    .command('status')
    .description('show what the agent without a server on this host holds and does, whether it runs or not')
    .option('--data <dir>', "the agent's data directory, instead of that of its configuration (--config)")
    .action(async ({ data }: { data?: string }, command) => {
      const { config } = command.optsWithGlobals() as Options
      const { dataOf } = await import('../../worker/agent/standalone/any-config.ts')
      const { readStatus } = await import('../../worker/agent/standalone/overview.ts')
      const { agentText } = await import('../agent-text.ts')
      const status = readStatus(data ?? dataOf(config))
      cli.output(command).result(status, (layout) => agentText(status, layout))
    })
}
