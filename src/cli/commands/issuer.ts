import { Issuer, KeySet } from '../../server/schemas/issuer.ts'
import type { CommandModule } from '../cli.ts'
import { fields } from '../output.ts'
import { id, state } from '../table.ts'

/** `trueup issuer`: by what clouds know the runs of this server. */
export const issuerCommands: CommandModule = (program, cli) => {
  const issuer = program.command('issuer').description('tokens by which clouds know runs (OpenID Connect)')
  const show = (command: Parameters<typeof cli.output>[0], found: Issuer): void =>
    cli.output(command).result(found, ({ table, when }) =>
      [
        fields([
          ['issuer', found.issuer],
          ['discovery', found.discoveryUrl],
          ['keys', found.keysUrl],
        ]),
        '',
        table(
          [id('key'), 'made', 'signs from', 'shown until', state('state')],
          found.keys.map((key) => [
            key.id,
            when(key.createdAt),
            when(key.signsFrom),
            when(key.shownUntil),
            key.signs ? 'signs' : key.shownUntil === null ? 'announced' : 'replaced',
          ]),
        ),
      ].join('\n'),
    )

  issuer
    .command('show')
    .description('the issuer that tokens name, and its keys')
    .action(async (_options, command) => show(command, await cli.client(command).get('/api/v1/issuer', Issuer)))

  issuer
    .command('keys')
    .description('the public keys as a JWK set, for clouds that cannot reach this server')
    .addHelpText('after', '\nExample:\n  $ trueup issuer keys > jwks.json')
    .action(async (_options, command) => {
      const set = await cli.client(command).get('/.well-known/jwks.json', KeySet)
      cli.output(command).result(set, () => JSON.stringify(set, null, 2))
    })

  issuer
    .command('rotate')
    .description('replace the key that signs; both are shown until the last token of the old one has ended')
    .option('--now', 'the old keys are shown no longer, which ends what they signed: after a theft')
    .action(async (options: { now?: boolean }, command) => {
      const body = { now: options.now ?? false }
      show(command, await cli.client(command).send('POST', '/api/v1/issuer/rotate', Issuer, body))
    })
}
