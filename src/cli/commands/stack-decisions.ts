import { type Command, Option } from 'commander'
import { z } from 'zod'
import { RunSummary } from '../../server/schemas/plans.ts'
import { Quarantine } from '../../server/schemas/stacks.ts'
import type { Cli } from '../cli.ts'
import { collect } from '../output.ts'
import { repositoryName, repositoryPath, withRepository } from '../repository.ts'
import { orderRequest, type RequestOptions, withRequest } from '../stack-requests.ts'
import { goes, id } from '../table.ts'

const REASON = ['--reason <text>', 'why; it stands in the audit'] as const

/** What only people decide about a stack, as commands below `stack`. */
export function addDecisionCommands(stack: Command, cli: Cli): void {
  const removal = async (command: Command, body: object) =>
    await cli
      .client(command)
      .send(
        'POST',
        `${repositoryPath(await repositoryName(cli, command))}/stack/removal`,
        z.object({ run: RunSummary.nullable() }),
        body,
      )

  withRepository(stack.command('remove').description('destroy what a stack that has left Git left behind'))
    .argument('<stack>', 'ENVIRONMENT/NAME')
    .requiredOption(...REASON)
    .addHelpText('after', '\nThe run shows its plan and waits until somebody else approves it (trueup run approve).')
    .action(async (key: string, options: { reason: string }, command) => {
      const { run } = await removal(command, { stack: key, how: 'destroy', reason: options.reason })
      cli.output(command).result({ run }, () => `${run?.id}: it is planned, then it waits for an approval`)
    })

  withRepository(stack.command('forget').description('list a stack that has left Git no more; what it made stays'))
    .argument('<stack>', 'ENVIRONMENT/NAME')
    .requiredOption(...REASON)
    .action(async (key: string, options: { reason: string }, command) => {
      const answer = await removal(command, { stack: key, how: 'forget', reason: options.reason })
      cli.output(command).result(answer, () => `Forgot ${key}; what it made is still there`)
    })

  withRequest(stack.command('deploy').description('apply what is deployed to a part only, or make resources anew'))
    .argument('<stack>', 'ENVIRONMENT/NAME')
    .option('--target <address...>', 'only these resources, and what they depend on')
    .option('--replace <address...>', 'destroy these and make them anew')
    .addHelpText(
      'after',
      `
Never moves the stack to another commit: that is what merging is for. Where the environment wants approvals, the run
waits until somebody else approves its plan (trueup run approve).

Example:
  $ trueup stack deploy production/web --replace aws_instance.app --reason "its disk is worn out" --wait`,
    )
    .action(async (key: string, options: RequestOptions & { target?: string[]; replace?: string[] }, command) => {
      const { target: targets = [], replace: replaces = [] } = options
      if (targets.length + replaces.length === 0) command.error('error: name something with --target or --replace')
      await orderRequest(cli, command, { stack: key, request: { targets, replaces }, options })
    })

  withRepository(stack.command('quarantine').description('states that were rolled back and are not deployed again'))
    .addOption(new Option('--stack <stack>', 'ENVIRONMENT/NAME: only of this one'))
    .action(async (options: { stack?: string }, command) => {
      const url = `${repositoryPath(await repositoryName(cli, command))}/quarantine`
      const all = await collect(cli.client(command).all(url, Quarantine, { stack: options.stack }))
      cli.output(command).result(all, ({ table, when }) =>
        table(
          [id('id'), 'stack', 'commit', 'mr', goes('by'), 'since', 'reason'],
          all.map((row) => [
            row.id,
            row.stack,
            row.commit.slice(0, 10),
            row.mr === null ? '-' : `!${row.mr}`,
            row.by ?? '-',
            when(row.createdAt),
            row.reason,
          ]),
        ),
      )
    })

  withRepository(stack.command('unquarantine').description('let a rolled back state be deployed again'))
    .argument('<id>', 'as `trueup stack quarantine` lists it')
    .requiredOption(...REASON)
    .action(async (id: string, options: { reason: string }, command) => {
      const url = `${repositoryPath(await repositoryName(cli, command))}/quarantine/${encodeURIComponent(id)}/lift`
      const lifted = await cli.client(command).send('POST', url, Quarantine, options)
      cli.output(command).result(lifted, () => `${lifted.commit.slice(0, 10)} of ${lifted.stack} may be deployed again`)
    })
}
