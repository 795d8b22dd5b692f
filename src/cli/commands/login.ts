import { hostname } from 'node:os'
import { Option } from 'commander'
import { CreatedToken, Session } from '../../server/schemas/people.ts'
import type { CommandModule } from '../cli.ts'
import { createClient } from '../client.ts'
import { fields } from '../output.ts'
import { readSecret } from '../prompt.ts'
import { findConnection, readLogin, removeLogin, writeLogin } from '../settings.ts'
import { Done } from '../../server/schemas/common.ts'

/** `login`, `logout`, `whoami`: which server and who one is there. */
export const loginCommands: CommandModule = (program, cli) => {
  program
    .command('login')
    .description('keep a token for a server, got by name and password or given')
    .argument('[url]', 'address of the server')
    .addOption(new Option('--name <name>', 'name of your account; asks for the password').conflicts('tokenStdin'))
    .option('--token-stdin', 'read a token from standard input')
    .addHelpText(
      'after',
      `
Secrets are read from the terminal or from standard input, never from the command line, where others could see them.

Examples:
  $ trueup login https://trueup.example.org --name ada
  $ trueup login --token-stdin < /var/lib/trueup/admin.token`,
    )
    .action(async (url: string | undefined, options: { name?: string; tokenStdin?: boolean }, command) => {
      const found = findConnection(cli.env, { url: url ?? command.optsWithGlobals().url })
      const anonymous = createClient({ ...found, token: null, source: 'none' })
      const secret = await readSecret(cli, options.name ? `Password of ${options.name}: ` : 'Token: ')
      const token = options.name ? await logIn(options.name, secret) : secret
      const connection = { url: found.url, token, source: 'login' as const }
      const session = await createClient(connection).get('/api/v1/session', Session)
      const file = writeLogin(cli.env, { url: found.url, token })
      cli
        .output(command)
        .result(
          { url: found.url, user: session.user.name, file },
          () => `Logged in to ${found.url} as ${session.user.name} (kept in ${file})`,
        )

      async function logIn(name: string, password: string): Promise<string> {
        const device = `trueup on ${hostname()}`.slice(0, 100)
        return (await anonymous.send('POST', '/api/v1/session', CreatedToken, { name, password, device })).token
      }
    })

  program
    .command('logout')
    .description('revoke the kept token and forget it')
    .action(async (_options, command) => {
      const login = readLogin(cli.env)
      if (login) {
        const client = createClient({ ...login, source: 'login' })
        await client.send('DELETE', '/api/v1/session', Done).catch((error: unknown) => {
          cli
            .output(command)
            .note(`The server did not revoke the token: ${error instanceof Error ? error.message : String(error)}`)
        })
      }
      removeLogin(cli.env)
      cli
        .output(command)
        .result({ url: login?.url ?? null }, () => (login ? `Logged out of ${login.url}` : 'Nobody was logged in'))
    })

  program
    .command('whoami')
    .description('show the server, the account and what the token may')
    .action(async (_options, command) => {
      const client = cli.client(command)
      const session = await client.get('/api/v1/session', Session)
      const { url, source } = client.connection
      cli.output(command).result({ url, source, ...session }, () =>
        fields([
          ['server', url],
          ['user', `${session.user.name} (${session.user.kind})`],
          [
            'token',
            `${session.token.scopes.join(', ')}, from ${source === 'environment' ? 'TRUEUP_TOKEN' : `the ${source}`}`,
          ],
        ]),
      )
    })
}
