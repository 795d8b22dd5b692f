import { Argument } from 'commander'
import { Done, Role } from '../../server/schemas/common.ts'
import { Member } from '../../server/schemas/people.ts'
import type { CommandModule } from '../cli.ts'
import { collect } from '../output.ts'

export const memberCommands: CommandModule = (program, cli) => {
  const member = program.command('member').description('roles of people in a repository')
  const path = (repository: string, user?: string): string =>
    `/api/v1/repositories/${encodeURIComponent(repository)}/members${user === undefined ? '' : `/${encodeURIComponent(user)}`}`

  member
    .command('list')
    .description('who has which role')
    .argument('<repository>')
    .action(async (repository: string, _options, command) => {
      const members = await collect(cli.client(command).all(path(repository), Member))
      cli.output(command).result(members, ({ table }) =>
        table(
          ['user', 'role'],
          members.map((row) => [row.user, row.role]),
        ),
      )
    })

  member
    .command('set')
    .description(
      'give a person a role: reader, contributor, maintainer, deployer or admin; each may all that the ones before it may',
    )
    .argument('<repository>')
    .argument('<user>')
    .addArgument(new Argument('<role>').choices(Role.options))
    .action(async (repository: string, user: string, role: string, _options, command) => {
      const set = await cli.client(command).send('PUT', path(repository, user), Member, { role })
      cli.output(command).result(set, () => `${set.user} is ${set.role} in ${repository}`)
    })

  member
    .command('remove')
    .description('take the role away')
    .argument('<repository>')
    .argument('<user>')
    .action(async (repository: string, user: string, _options, command) => {
      await cli.client(command).send('DELETE', path(repository, user), Done)
      cli
        .output(command)
        .result({ repository, user, role: null }, () => `${user} has no role in ${repository} any more`)
    })
}
