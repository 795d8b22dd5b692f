import { Option, type Command } from 'commander'
import { User } from '../../server/schemas/people.ts'
import type { CommandModule } from '../cli.ts'
import { collect } from '../output.ts'
import { readSecret } from '../prompt.ts'
import { goes, shrinks, state } from '../table.ts'

interface UserOptions {
  email?: string
  kind?: string
  password?: boolean
  disable?: boolean
  enable?: boolean
}

export const userCommands: CommandModule = (program, cli) => {
  const user = program.command('user').description('accounts of people')
  const one = (command: Command, verb: string, row: User): void =>
    cli
      .output(command)
      .result(
        row,
        () => `${verb} ${row.name} <${row.email}> (${row.kind}${row.disabledAt === null ? '' : ', disabled'})`,
      )

  user
    .command('list')
    .description('everyone with an account')
    .action(async (_options, command) => {
      const people = await collect(cli.client(command).all('/api/v1/users', User))
      cli.output(command).result(people, ({ table, when }) =>
        table(
          ['name', shrinks('email'), goes('kind'), state('state'), 'since'],
          people.map((row) => [
            row.name,
            row.email,
            row.kind,
            row.disabledAt === null ? 'active' : 'disabled',
            when(row.createdAt),
          ]),
        ),
      )
    })

  user
    .command('add')
    .description('add a person')
    .argument('<name>')
    .requiredOption('--email <address>', 'address, as it stands in their commits: it ties commits to people')
    .addOption(
      new Option('--kind <kind>', 'admin may everything on this server').choices(['member', 'admin']).default('member'),
    )
    .option('--password', 'ask for a password (or read it from standard input)')
    .addHelpText(
      'after',
      '\nExample:\n  $ trueup user add ada --email ada@example.org\n  $ trueup token create --user ada --name laptop',
    )
    .action(async (name: string, options: UserOptions, command) => {
      const password = options.password ? await readSecret(cli, `Password of ${name}: `) : undefined
      const body = { name, email: options.email, kind: options.kind, password }
      one(command, 'Added', await cli.client(command).send('POST', '/api/v1/users', User, body))
    })

  user
    .command('update')
    .description('change a person; disabling ends all their logins')
    .argument('<name>')
    .option('--email <address>')
    .addOption(new Option('--kind <kind>').choices(['member', 'admin']))
    .option('--password', 'ask for a new password (or read it from standard input)')
    .addOption(new Option('--disable', 'refuse this person from now on').conflicts('enable'))
    .option('--enable', 'let this person in again')
    .action(async (name: string, options: UserOptions, command) => {
      const password = options.password ? await readSecret(cli, `New password of ${name}: `) : undefined
      const disabled = options.disable ? true : options.enable ? false : undefined
      const body = { email: options.email, kind: options.kind, password, disabled }
      one(
        command,
        'Changed',
        await cli.client(command).send('PATCH', `/api/v1/users/${encodeURIComponent(name)}`, User, body),
      )
    })
}
