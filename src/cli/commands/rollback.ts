import { Option } from 'commander'
import { MrDetail } from '../../server/schemas/merge-requests.ts'
import { duration } from '../arguments.ts'
import type { CommandModule } from '../cli.ts'
import { followDeployments, followMerge } from '../follow.ts'
import { repositoryName, repositoryPath, withRepository } from '../repository.ts'
import { reportDeployments } from './mr-review.ts'

interface RollbackOptions {
  stack?: string
  environment?: string
  deployment?: string
  to?: string
  reason: string
  wait?: number
}

/** `trueup rollback`: the way back, which is a Git change too. */
export const rollbackCommand: CommandModule = (program, cli) => {
  withRepository(program.command('rollback').description('make a revert merge request on the fast lane'))
    .addOption(
      new Option('--stack <stack>', 'ENVIRONMENT/NAME: its last change').conflicts(['environment', 'deployment']),
    )
    .addOption(new Option('--environment <name>', 'the last change of an environment').conflicts('deployment'))
    .option('--deployment <id>', 'everything that one deployment changed')
    .option('--to <commit>', 'go back to what this commit says')
    .requiredOption('--reason <text>', 'why; it stands in the commit and in the audit')
    .addOption(new Option('--wait [duration]', 'follow it until it is deployed').preset('1h').argParser(duration))
    .addHelpText(
      'after',
      '\nExit code with --wait: 1 when a deployment did not succeed, or stands still until a person approves it.',
    )
    .addHelpText('after', '\nExample:\n  $ trueup rollback --stack production/web --reason "5xx since 14:02" --wait')
    .action(async (options: RollbackOptions, command) => {
      const target =
        options.stack !== undefined
          ? { what: 'stack', stack: options.stack, to: options.to }
          : options.environment !== undefined
            ? { what: 'environment', environment: options.environment, to: options.to }
            : options.deployment !== undefined
              ? { what: 'deployment', deployment: options.deployment }
              : command.error('error: name what to roll back: --stack, --environment or --deployment')
      const client = cli.client(command)
      const output = cli.output(command)
      const repository = repositoryPath(await repositoryName(cli, command))
      const mr = await client.send('POST', `${repository}/rollbacks`, MrDetail, { target, reason: options.reason })
      if (options.wait === undefined) {
        output.result(mr, () => `!${mr.number} ${mr.title}`)
        return
      }
      if (!output.json) output.note(`!${mr.number} ${mr.title}`)
      const path = `${repository}/merge-requests/${mr.number}`
      const following = { client, output, signal: cli.signal, timeoutMs: options.wait }
      const merged = await followMerge(following, path)
      if (!output.json) output.note(`Merged !${mr.number} as ${merged.mergeCommit?.slice(0, 10)}`)
      reportDeployments(cli, command, merged, await followDeployments(following, path))
    })
}
