import { z } from 'zod'
import { Done } from '../../server/schemas/common.ts'
import { StateDiff, StateInfo, StateObjects } from '../../server/schemas/states.ts'
import type { CommandModule } from '../cli.ts'

import { repositoryName, repositoryPath, withRepository } from '../repository.ts'
import { orderRequest, type RequestOptions, withRequest } from '../stack-requests.ts'
import { goes, id } from '../table.ts'

interface Where {
  workspace: string
}

export const stateCommands: CommandModule = (program, cli) => {
  const state = program.command('state').description('Terraform states that Trueup keeps')
  const workspace = ['--workspace <name>', 'workspace of the state', 'default'] as const

  withRepository(state.command('show').description('versions of a state, and who holds its lock'))
    .argument('<stack>', 'ENVIRONMENT/NAME')
    .option(...workspace)
    .action(async (stack: string, options: Where, command) => {
      const url = `${repositoryPath(await repositoryName(cli, command))}/state`
      const info = await cli.client(command).get(url, StateInfo, { stack, workspace: options.workspace })
      cli.output(command).result(info, ({ table, when }) => {
        if (info.lock === null && info.versions.length === 0)
          return `Trueup keeps no state "${info.workspace}" of ${info.stack}.`
        const lock =
          info.lock === null
            ? 'not locked'
            : `locked by ${wordOf(info.lock['holder'] ?? info.lock['Who'])} since ${wordOf(info.lock['since'] ?? info.lock['Created'])} (lock ${wordOf(info.lock['ID'])})`
        const versions = table(
          ['version', goes('serial'), id('run'), 'by', 'stored'],
          info.versions.map((row) => [
            String(row.version),
            String(row.serial),
            row.run ?? '-',
            row.actor ?? '-',
            when(row.createdAt),
          ]),
        )
        return [lock, versions].filter((part) => part !== '').join('\n\n')
      })
    })

  withRepository(state.command('list').description('addresses of the objects in a state that Trueup keeps'))
    .argument('<stack>', 'ENVIRONMENT/NAME')
    .option(...workspace)
    .action(async (stack: string, options: Where, command) => {
      const url = `${repositoryPath(await repositoryName(cli, command))}/state/objects`
      const answer = await cli.client(command).get(url, StateObjects, { stack, workspace: options.workspace })
      cli.output(command).result(answer, ({ table }) =>
        answer.version === null
          ? `Trueup keeps no state "${answer.workspace}" of ${answer.stack}.`
          : table(
              ['address', 'provider', 'note'],
              answer.objects.map(({ address, provider, note }) => [address, provider, note ?? '']),
            ),
      )
    })

  withRepository(state.command('diff').description('what differs between two versions of a state, without values'))
    .argument('<stack>', 'ENVIRONMENT/NAME')
    .argument('[from]', 'the earlier version, as `trueup state show` lists it; the one before [to]')
    .argument('[to]', 'the later version; the current one')
    .option(...workspace)
    .action(async (stack: string, from: string | undefined, to: string | undefined, options: Where, command) => {
      const url = `${repositoryPath(await repositoryName(cli, command))}/state/diff`
      const answer = await cli.client(command).get(url, StateDiff, { stack, from, to, workspace: options.workspace })
      cli.output(command).result(answer, ({ table }) => {
        const title = `State "${answer.workspace}" of ${answer.stack}, version ${answer.from} to ${answer.to}`
        if (answer.differences.length === 0) return `${title}: nothing differs.`
        const rows = answer.differences.map(({ address, change, attributes }) => [
          change,
          address,
          attributes.join(', '),
        ])
        return `${title}\n\n${table(['change', 'address', 'attributes'], rows)}`
      })
    })

  withRequest(state.command('mv').description('give an object of the state another address, by a run'))
    .argument('<stack>', 'ENVIRONMENT/NAME')
    .argument('<from>', 'address in the state')
    .argument('<to>', 'address in the code')
    .addHelpText('after', '\nA `moved` block in the code does the same and is reviewed with it: prefer that.')
    .action(async (stack: string, from: string, to: string, options: RequestOptions, command) => {
      await orderRequest(cli, command, { stack, request: { state: { do: 'move', from, to } }, options })
    })

  withRequest(state.command('rm').description('let the tool forget objects, by a run; what is real stays'))
    .argument('<stack>', 'ENVIRONMENT/NAME')
    .argument('<addresses...>', 'resources, instances or modules')
    .addHelpText('after', '\nA `removed` block in the code does the same and is reviewed with it: prefer that.')
    .action(async (stack: string, addresses: string[], options: RequestOptions, command) => {
      await orderRequest(cli, command, { stack, request: { state: { do: 'remove', addresses } }, options })
    })

  withRepository(state.command('restore').description('make an earlier version the current one again'))
    .argument('<stack>', 'ENVIRONMENT/NAME')
    .argument('<version>', 'as `trueup state show` lists it', Number)
    .option(...workspace)
    .action(async (stack: string, version: number, options: Where, command) => {
      const url = `${repositoryPath(await repositoryName(cli, command))}/state/restore`
      const answer = z.object({ version: z.number(), serial: z.number() })
      const body = { stack, version, workspace: options.workspace }
      const made = await cli.client(command).send('POST', url, answer, body)
      cli
        .output(command)
        .result(
          made,
          () => `Version ${version} is current again, as version ${made.version} with serial ${made.serial}`,
        )
    })

  withRepository(state.command('unlock').description('open a lock by force, when whoever holds it is gone'))
    .argument('<stack>', 'ENVIRONMENT/NAME')
    .requiredOption('--lock <id>', 'the lock, as `trueup state show` names it')
    .requiredOption('--reason <text>', 'why; it stands in the audit')
    .option(...workspace)
    .action(async (stack: string, options: Where & { lock: string; reason: string }, command) => {
      const url = `${repositoryPath(await repositoryName(cli, command))}/state/unlock`
      const body = { stack, workspace: options.workspace, lockId: options.lock, reason: options.reason }
      const done = await cli.client(command).send('POST', url, Done, body)
      cli.output(command).result(done, () => `Unlocked the state of ${stack}`)
    })
}

/** Lock infos are what a client sent: members are texts for well-behaved ones only. */
const wordOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))
