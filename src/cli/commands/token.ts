import { Option } from 'commander'
import { parseDuration } from '../../domain/duration.ts'
import { Done } from '../../server/schemas/common.ts'
import { CreatedToken, Token } from '../../server/schemas/people.ts'
import type { CommandModule } from '../cli.ts'
import { collect } from '../output.ts'
import { id, shrinks, state } from '../table.ts'

export const tokenCommands: CommandModule = (program, cli) => {
  const token = program.command('token').description('tokens, with which programs and git log in')

  token
    .command('list')
    .description('your tokens, or those of another person for administrators')
    .option('--user <name>')
    .action(async (options: { user?: string }, command) => {
      const tokens = await collect(cli.client(command).all('/api/v1/tokens', Token, { user: options.user }))
      cli.output(command).result(tokens, ({ table, when }) =>
        table(
          [id('id'), shrinks('name'), shrinks('scopes'), 'expires', 'last used', state('state')],
          tokens.map((row) => [
            row.id,
            row.name,
            row.scopes.join(','),
            when(row.expiresAt),
            when(row.lastUsedAt),
            row.revokedAt === null ? 'valid' : 'revoked',
          ]),
        ),
      )
    })

  token
    .command('create')
    .description('make a token; it is shown once')
    .requiredOption('--name <name>', 'what it is for')
    .addOption(
      new Option(
        '--scope <scopes...>',
        'read, write or admin, and repo:NAME or from:ADDRESS/BITS to narrow it',
      ).default(['write']),
    )
    .option('--expires <duration>', 'how long it lives: 12h, 90d (default: until it is revoked)')
    .option('--user <name>', 'for another person (administrators)')
    .addHelpText(
      'after',
      '\nExample:\n  $ trueup token create --name ci --scope write repo:shop from:10.0.0.0/8 --expires 90d',
    )
    .action(async (options: { name: string; scope: string[]; expires?: string; user?: string }, command) => {
      const { name, scope: scopes, user, expires } = options
      const expiresInMs = expires === undefined ? undefined : parseDuration(expires)
      const made = await cli
        .client(command)
        .send('POST', '/api/v1/tokens', CreatedToken, { name, scopes, expiresInMs, user })
      const output = cli.output(command)
      output.result(made, () => made.token)
      if (!output.json)
        output.note(`Token "${name}" of ${made.info.user} (${made.info.scopes.join(', ')}). It is not shown again.`)
    })

  token
    .command('revoke')
    .description('end a token')
    .argument('<id>', 'id of the token, as `trueup token list` shows it')
    .action(async (id: string, _options, command) => {
      await cli.client(command).send('DELETE', `/api/v1/tokens/${encodeURIComponent(id)}`, Done)
      cli.output(command).result({ id, revoked: true }, () => `Revoked ${id}`)
    })
}
