import type { Command } from 'commander'
import { ManagedPlace, StackResources } from '../../server/schemas/stack-parts.ts'
import type { Cli } from '../cli.ts'
import { collect } from '../output.ts'
import { repositoryName, repositoryPath, withRepository } from '../repository.ts'

/** What stacks are made of, as commands below `stack`. */
export function addPartCommands(stack: Command, cli: Cli): void {
  withRepository(stack.command('resources').description('resources that something has happened to, and how each is'))
    .argument('<stack>', 'ENVIRONMENT/NAME')
    .action(async (key: string, _options, command) => {
      const url = `${repositoryPath(await repositoryName(cli, command))}/resources`
      const found = await cli.client(command).get(url, StackResources, { stack: key })
      cli.output(command).result(found, ({ table, wrap }) => {
        const rows = found.items.map(({ address, health, why, run }) => [address, health, why ?? '', run ?? '-'])
        const left = found.more > 0 ? [wrap(`${found.more} more are left out`)] : []
        return [table(['resource', 'health', 'why', 'last run'], rows), ...left].join('\n')
      })
    })

  withRepository(stack.command('places').description('directories, states and objects that a stack manages alone'))
    .argument('[stack]', 'ENVIRONMENT/NAME (default: all stacks)')
    .option('--environment <name>')
    .option('--find <text>', 'any part of an address')
    .action(async (key: string | undefined, options: { environment?: string; find?: string }, command) => {
      const url = `${repositoryPath(await repositoryName(cli, command))}/places`
      const filter = { stack: key, environment: options.environment, q: options.find }
      const all = await collect(cli.client(command).all(url, ManagedPlace, filter))
      cli.output(command).result(all, ({ table, when }) =>
        table(
          ['place', 'stack', 'driver', 'since'],
          all.map(({ address, stack: owner, driver, since }) => [address, owner, driver, when(since)]),
        ),
      )
    })
}
