import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'
import { GroupRule } from '../../domain/people/group-rules.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import { Done } from '../../server/schemas/common.ts'
import { LoginProvider } from '../../server/schemas/login-providers.ts'
import type { CommandModule } from '../cli.ts'
import { fields } from '../output.ts'
import { readSecret } from '../prompt.ts'
import { id, shrinks } from '../table.ts'

interface SetOptions {
  issuer: string
  clientId: string
  clientSecretStdin?: boolean
  publicClient?: boolean
  scopes?: string
  groupsClaim?: string
  rules: string
}

const providerPath = (name: string): string => `/api/v1/login-providers/${encodeURIComponent(name)}`

/** `trueup sso`: OpenID Connect providers at which people log in. */
export const ssoCommands: CommandModule = (program, cli) => {
  const sso = program.command('sso').description('single sign-on: providers at which people log in (OpenID Connect)')

  sso
    .command('list')
    .description('providers, and how many rules each has')
    .action(async (_options, command) => {
      const providers = await cli.client(command).get('/api/v1/login-providers', z.array(LoginProvider))
      cli.output(command).result(providers, ({ table }) =>
        table(
          [id('name'), shrinks('issuer'), 'client', 'groups in', 'rules'],
          providers.map((each) => [each.name, each.issuer, each.clientId, each.groupsClaim, String(each.rules.length)]),
        ),
      )
    })

  sso
    .command('set')
    .description('add a provider or change it; it is asked who it is at once')
    .argument('<name>', 'what people read on the button; part of the callback address')
    .requiredOption('--issuer <url>', 'address of the provider, exactly as it calls itself')
    .requiredOption('--client-id <id>', 'what the provider calls this server')
    .option('--client-secret-stdin', 'read the secret from the terminal or standard input (default: as it was)')
    .option('--public-client', 'the provider gave no secret')
    .option('--scopes <scopes>', 'separated by blanks (default: openid profile email)')
    .option('--groups-claim <claim>', 'where the groups of a person stand (default: groups)')
    .requiredOption('--rules <file>', 'YAML: what people of which groups get; who is in none of them does not get in')
    .addHelpText(
      'after',
      `
Rules:
  - { group: platform-admins, admin: true }
  - { group: payments, teams: [payments], roles: { shop: maintainer } }
  - { group: "*", roles: { shop: reader } }

Example:
  $ trueup sso set company --issuer https://login.example.org --client-id trueup --client-secret-stdin --rules sso.yaml`,
    )
    .action(async (name: string, options: SetOptions, command) => {
      const { clientSecretStdin, publicClient, rules: file, ...wish } = options
      const rules = await readRules(resolve(cli.cwd, file))
      const clientSecret = publicClient
        ? null
        : clientSecretStdin
          ? await readSecret(cli, 'Client secret: ')
          : undefined
      const body = { ...wish, rules, ...(clientSecret !== undefined && { clientSecret }) }
      const made = await cli.client(command).send('PUT', providerPath(name), LoginProvider, body)
      cli.output(command).result(made, () =>
        fields([
          ['provider', made.name],
          ['issuer', made.issuer],
          ['callback', `${made.callbackUrl} (to be registered at the provider)`],
        ]),
      )
    })

  sso
    .command('remove')
    .description('remove a provider; its people keep their accounts and are logged out')
    .argument('<name>')
    .action(async (name: string, _options, command) => {
      await cli.client(command).send('DELETE', providerPath(name), Done)
      cli.output(command).result({ name, removed: true }, () => `Removed ${name}`)
    })
}

async function readRules(file: string): Promise<GroupRule[]> {
  const doing = `reading the rules in ${file}`
  const text = await readFile(file, 'utf8').catch((cause: Error) => {
    throw new TrueupError('INVALID_REQUEST', { doing, why: cause.message, cause })
  })
  const rules = z.array(GroupRule).min(1).safeParse(parseQuietly(text))
  if (rules.success) return rules.data
  const [issue] = rules.error.issues
  throw new TrueupError('INVALID_REQUEST', {
    doing,
    why: `${issue?.path.join('.') || 'the file'}: ${issue?.message}`,
    next: '`trueup sso set --help` shows what rules look like.',
  })
}

function parseQuietly(text: string): unknown {
  try {
    return parse(text)
  } catch {
    return null
  }
}
