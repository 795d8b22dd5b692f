import { Option } from 'commander'
import { MrDetail } from '../../server/schemas/merge-requests.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import { Deployment } from '../../server/schemas/stacks.ts'
import { duration, mrNumber } from '../arguments.ts'
import type { CommandModule } from '../cli.ts'
import type { Client } from '../client.ts'
import { collect } from '../output.ts'
import { followDeployments, followMerge } from '../follow.ts'
import { repositoryName, repositoryPath, withRepository } from '../repository.ts'
import { reportDeployments } from './mr-review.ts'

interface RollbackOptions {
  stack?: string
  environment?: string
  deployment?: string
  mr?: number
  to?: string
  reason: string
  wait?: number
}

/** `trueup rollback`: the way back, which is a Git change too. */
export const rollbackCommand: CommandModule = (program, cli) => {
  withRepository(program.command('rollback').description('make a revert merge request on the fast lane'))
    .addOption(
      new Option('--stack <stack>', 'ENVIRONMENT/NAME: its last change').conflicts(['environment', 'deployment', 'mr']),
    )
    .addOption(new Option('--environment <name>', 'the last change of an environment').conflicts(['deployment', 'mr']))
    .addOption(new Option('--deployment <id>', 'the whole merge that this deployment belongs to').conflicts('mr'))
    .option('--mr <number>', 'everything that this merge request brought', mrNumber)
    .option('--to <commit>', 'go back to what this commit says')
    .requiredOption('--reason <text>', 'why; it stands in the commit and in the audit')
    .addOption(new Option('--wait [duration]', 'follow it until it is deployed').preset('1h').argParser(duration))
    .addHelpText(
      'after',
      '\nExit code with --wait: 1 when a deployment did not succeed, or stands still until a person approves it.',
    )
    .addHelpText('after', '\nExample:\n  $ trueup rollback --stack production/web --reason "5xx since 14:02" --wait')
    .action(async (options: RollbackOptions, command) => {
      const client = cli.client(command)
      const output = cli.output(command)
      const repository = repositoryPath(await repositoryName(cli, command))
      const deployment =
        options.mr === undefined ? options.deployment : await deploymentOf(client, repository, options.mr)
      const target =
        options.stack !== undefined
          ? { what: 'stack', stack: options.stack, to: options.to }
          : options.environment !== undefined
            ? { what: 'environment', environment: options.environment, to: options.to }
            : deployment !== undefined
              ? { what: 'deployment', deployment }
              : command.error('error: name what to roll back: --stack, --environment, --mr or --deployment')
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

/** Any deployment of a merge request stands for all of it. */
async function deploymentOf(client: Client, repository: string, mr: number): Promise<string> {
  const all = await collect(client.all(`${repository}/deployments`, Deployment, { mr }))
  const found = all.find(({ kind }) => kind === 'deploy')
  if (found) return found.id
  throw new TrueupError('CONFLICT', {
    doing: `rolling back !${mr}`,
    why: 'nothing was deployed by it',
    next: 'Revert it with git, and open a merge request of that.',
  })
}
