import { hostname } from 'node:os'
import { Option } from 'commander'
import { Can, CreatedToken, Session } from '../../server/schemas/people.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import { type Action, ACTIONS, needsRepository } from '../../server/auth/permissions.ts'
import type { Cli, CommandModule } from '../cli.ts'
import { createClient } from '../client.ts'
import { logInByDevice } from '../device-login.ts'
import { fields } from '../output.ts'
import { readSecret } from '../prompt.ts'
import { repositoryName } from '../repository.ts'
import { findConnection, readLogin, removeLogin, writeLogin } from '../settings.ts'
import { Done } from '../../server/schemas/common.ts'

interface LoginOptions {
  name?: string
  tokenStdin?: boolean
  /** Name of the provider; true: the only one. */
  sso?: string | true
}

interface WhoamiOptions {
  can?: string
  env?: string
}

/** `login`, `logout`, `whoami`: which server and who one is there. */
export const loginCommands: CommandModule = (program, cli) => {
  program
    .command('login')
    .description('keep a token for a server: got by name and password, by single sign-on, or given')
    .argument('[url]', 'address of the server')
    .addOption(new Option('--name <name>', 'name of your account; asks for the password').conflicts('tokenStdin'))
    .option('--token-stdin', 'read a token from standard input')
    .addOption(
      new Option('--sso [provider]', 'log in with a browser at a provider of the server').conflicts([
        'name',
        'tokenStdin',
      ]),
    )
    .addHelpText(
      'after',
      `
Secrets are read from the terminal or from standard input, never from the command line, where others could see them. The code of
a second factor is the second line there.

Examples:
  $ trueup login https://trueup.example.org --name ada
  $ trueup login https://trueup.example.org --sso
  $ trueup login --token-stdin < /var/lib/trueup/admin.token`,
    )
    .action(async (url: string | undefined, options: LoginOptions, command) => {
      const found = findConnection(cli.env, { url: url ?? command.optsWithGlobals().url })
      const anonymous = createClient({ ...found, token: null, source: 'none' })
      const device = `trueup on ${hostname()}`.slice(0, 100)
      const token = options.sso ? await singleSignOn(options.sso) : await bySecret(options.name)
      const connection = { url: found.url, token, source: 'login' as const }
      const session = await createClient(connection).get('/api/v1/session', Session)
      const file = writeLogin(cli.env, { url: found.url, token })
      cli
        .output(command)
        .result(
          { url: found.url, user: session.user.name, file },
          () => `Logged in to ${found.url} as ${session.user.name} (kept in ${file})`,
        )

      async function bySecret(name: string | undefined): Promise<string> {
        const secret = await readSecret(cli, name ? `Password of ${name}: ` : 'Token: ')
        if (!name) return secret
        // A program sends the code of a second factor in a line of its own.
        const [password = '', code] = cli.stdin.isTTY ? [secret] : secret.split(/\r?\n/)
        const send = (more: { code?: string }): Promise<CreatedToken> =>
          anonymous.send('POST', '/api/v1/session', CreatedToken, { name, password, device, ...more })
        const made = await send(code ? { code } : {}).catch(async (thrown: unknown) => {
          const isAsked = thrown instanceof TrueupError && thrown.code === 'SECOND_FACTOR_REQUIRED'
          if (!isAsked || !cli.stdin.isTTY) throw thrown
          return await send({ code: await readSecret(cli, 'Code of the app, or a recovery code: ') })
        })
        return made.token
      }

      async function singleSignOn(provider: string | true): Promise<string> {
        const note = (line: string): void => cli.output(command).note(line)
        return await logInByDevice(anonymous, { provider, device, note, signal: cli.signal })
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
    .option('--can <action>', 'say whether you may do that, such as mr.merge; exit code 1 when not')
    .option('--repo <name>', 'in this repository (default: TRUEUP_REPO, the git remote here, or the only one there is)')
    .option('--env <environment>', 'in this environment')
    .addHelpText('after', '\nExample:\n  $ trueup whoami --can run.approve --repo shop --env production')
    .action(async (options: WhoamiOptions, command) => {
      const client = cli.client(command)
      if (options.can !== undefined) return await say(options.can, options.env)
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

      async function say(action: string, environment: string | undefined): Promise<void> {
        const isOfRepository = Object.hasOwn(ACTIONS, action) && needsRepository(action as Action)
        const repository = isOfRepository ? await repositoryName(cli, command) : undefined
        const found = await client.get('/api/v1/session/can', Can, { action, repository, environment })
        const needs = `needs ${found.needs.who}, and a token of scope ${found.needs.scope}`
        cli
          .output(command)
          .result(found, () => (found.allowed ? `yes (${needs})` : `no: ${found.why} [${found.code}]\n(${needs})`))
        if (!found.allowed) cli.exitWith(1)
      }
    })

  program
    .command('password')
    .description('set your own password; ends every other login of yours')
    .addHelpText(
      'after',
      '\nAsks for the current password, where there is one, and for the new one twice. Without a terminal it reads two lines: the\ncurrent and the new password.',
    )
    .action(async (_options, command) => {
      const [current, password] = cli.stdin.isTTY ? await askTwice(cli) : await twoLines(cli)
      const body = { ...(current !== '' && { current }), password }
      const done = await cli.client(command).send('PUT', '/api/v1/session/password', Done, body)
      cli.output(command).result(done, () => 'Your password is set; other logins of yours have ended.')
    })
}

async function askTwice(cli: Cli): Promise<[string, string]> {
  const current = await readSecret(cli, 'Current password (empty where there is none): ', { mayBeEmpty: true })
  const password = await readSecret(cli, 'New password: ')
  if ((await readSecret(cli, 'New password again: ')) === password) return [current, password]
  throw new TrueupError('INVALID_REQUEST', {
    doing: 'setting your password',
    why: 'the two new passwords differ',
    next: 'Type it again.',
  })
}

async function twoLines(cli: Cli): Promise<[string, string]> {
  const [current = '', password = '', ...more] = (await readSecret(cli, '')).split(/\r?\n/)
  if (password !== '' && more.length === 0) return [current, password]
  throw new TrueupError('INVALID_REQUEST', {
    doing: 'reading passwords from standard input',
    why: 'two lines are needed',
    next: 'Send the current password (an empty line where there is none) and the new one, a line each.',
  })
}
