import { Team } from '../../server/schemas/people.ts'
import type { CommandModule } from '../cli.ts'
import { collect } from '../output.ts'

export const teamCommands: CommandModule = (program, cli) => {
  const team = program.command('team').description('teams, which give approvals as team:NAME')
  const show = (row: Team): string => `${row.name}: ${row.members.join(', ') || 'nobody'}`

  team
    .command('list')
    .description('all teams and who is in them')
    .action(async (_options, command) => {
      const teams = await collect(cli.client(command).all('/api/v1/teams', Team))
      cli.output(command).result(teams, ({ table }) =>
        table(
          ['name', 'members'],
          teams.map((row) => [row.name, row.members.join(', ')]),
        ),
      )
    })

  team
    .command('create')
    .description('make a team')
    .argument('<name>')
    .argument('[users...]', 'who is in it')
    .action(async (name: string, members: string[], _options, command) => {
      const made = await cli.client(command).send('POST', '/api/v1/teams', Team, { name, members })
      cli.output(command).result(made, () => show(made))
    })

  for (const [verb, method, about] of [
    ['add', 'PUT', 'put a person into a team'],
    ['remove', 'DELETE', 'take a person out of a team'],
  ] as const) {
    team
      .command(verb)
      .description(about)
      .argument('<team>')
      .argument('<user>')
      .action(async (name: string, user: string, _options, command) => {
        const path = `/api/v1/teams/${encodeURIComponent(name)}/members/${encodeURIComponent(user)}`
        const changed = await cli.client(command).send(method, path, Team)
        cli.output(command).result(changed, () => show(changed))
      })
  }
}
