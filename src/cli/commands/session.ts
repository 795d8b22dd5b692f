import { TrueupError } from '../../lib/errors/error.ts'
import { LoginSession, RevokedSessions } from '../../server/schemas/sessions.ts'
import type { CommandModule } from '../cli.ts'
import { collect } from '../output.ts'
import { id, shrinks, state } from '../table.ts'

/** `trueup session`: where somebody is logged in, and the end of it. */
export const sessionCommands: CommandModule = (program, cli) => {
  const session = program.command('session').description('logins of browsers and of the command line')

  session
    .command('list')
    .description('where you are logged in, or another person for administrators')
    .option('--user <name>')
    .action(async (options: { user?: string }, command) => {
      const found = await collect(cli.client(command).all('/api/v1/sessions', LoginSession, { user: options.user }))
      cli.output(command).result(found, ({ table, when }) =>
        table(
          [id('id'), 'with', shrinks('device'), 'from', 'since', 'last used', state('this one')],
          found.map((row) => [
            row.id,
            row.kind,
            row.device,
            row.address ?? '',
            when(row.createdAt),
            when(row.lastUsedAt),
            row.current ? 'yes' : '',
          ]),
        ),
      )
    })

  session
    .command('revoke')
    .description('end a login, or all others; pages that are open there end at once')
    .argument('[id]', 'id of the login, as `trueup session list` shows it')
    .option('--others', 'all but this one; with --user all of that person')
    .option('--user <name>', 'of another person (administrators)')
    .addHelpText('after', '\nExample:\n  $ trueup session revoke --others')
    .action(async (given: string | undefined, options: { others?: boolean; user?: string }, command) => {
      if ((given === undefined) === !options.others)
        throw new TrueupError('INVALID_REQUEST', {
          doing: 'ending logins',
          why: given === undefined ? 'none is named' : 'one is named, and all others too',
          next: 'Name an id of `trueup session list`, or say --others.',
        })
      const whose = options.user === undefined ? '' : `?user=${encodeURIComponent(options.user)}`
      const path = given === undefined ? '/api/v1/sessions' : `/api/v1/sessions/${encodeURIComponent(given)}`
      const ended = await cli.client(command).send('DELETE', `${path}${whose}`, RevokedSessions)
      cli
        .output(command)
        .result(ended, () => (ended.revoked.length === 0 ? 'There was none' : `Ended ${ended.revoked.join(', ')}`))
    })
}
