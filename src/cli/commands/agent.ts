import type { CommandModule } from '../cli.ts'

/** `trueup agent`: a worker inside, which applies only what its own signers have signed. */
export const agentCommand: CommandModule = (program, cli) => {
  program
    .command('agent')
    .description('pull what is signed from a server and apply it on this machine, until Ctrl-C')
    .requiredOption('--config <file>', "the agent's configuration, in YAML")
    .option('--rotate-key', 'replace the key of this agent by a new one', false)
    .option('--check', 'read the configuration, say whether it is in order, and end', false)
    .addHelpText(
      'after',
      `
It dials out only. The token is needed for the first start only: the agent then has a key of its own in its data
directory. The first Ctrl-C or SIGTERM lets running work end, the second stops it. The log goes to stderr
(TRUEUP_LOG_LEVEL). docs/concepts/agents.md has the keys of the configuration.

Example:
  $ trueup agent --config /etc/trueup/agent.yaml`,
    )
    .action(async ({ config, check, rotateKey }: { config: string; check: boolean; rotateKey: boolean }, command) => {
      const { readAgentConfig } = await import('../../worker/agent/config.ts')
      const settings = readAgentConfig(config)
      if (check) {
        const repositories = Object.keys(settings.repositories)
        cli
          .output(command)
          .result({ ok: true, server: settings.options.server, repositories }, () => `${config} is in order`)
        return
      }
      const { agentWay } = await import('../../worker/agent/source.ts')
      const { runInForeground } = await import('../../worker/foreground.ts')
      const { createLogger } = await import('../../worker/logging.ts')
      cli.takeSignals()
      await runInForeground({ ...settings.options, rotateKey }, createLogger(), agentWay(settings))
      // As the process of its own that it otherwise is: nothing that a library left open holds it.
      process.exit()
    })
}
