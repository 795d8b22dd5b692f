import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { type Command, Option } from 'commander'
import { TrueupError } from '../../lib/errors/error.ts'
import { Disconnected, Repository } from '../../server/schemas/repositories.ts'
import type { Cli } from '../cli.ts'
import { fields, type Layout, type Output } from '../output.ts'
import { readSecret } from '../prompt.ts'

/** `trueup repo connect|rotate|look|disconnect`: repositories whose merge requests live on another forge. */
export function addConnectionCommands(repo: Command, cli: Cli): void {
  const at = (name: string): string => `/api/v1/repositories/${encodeURIComponent(name)}/connection`

  repo
    .command('connect')
    .description('connect a repository of GitHub, GitLab, Gitea or Forgejo: its merge requests get plans there')
    .argument('<url>', 'address of its page')
    .option(
      '--token-file <file>',
      'file with a token of the account that Trueup is to be there; asked for where absent',
    )
    .option('--app <id>', 'number of the GitHub App that Trueup is to be there, in place of a token')
    .option('--key-file <file>', 'file with the private key of the App')
    .addOption(
      new Option('--forge <forge>', 'what it is (default: found out by asking)').choices(['gitea', 'gitlab', 'github']),
    )
    .option('--name <name>', 'what it is called here (default: the last part of the address)')
    .addHelpText(
      'after',
      '\nExample:\n  $ trueup repo connect https://git.example.test/team/shop --token-file token\n\nEvery permission is looked at first; nothing is written where one is missing. docs/forges/github.md, gitlab.md\nand gitea.md list them.',
    )
    .action(async (url: string, options: Credentials & { name?: string; forge?: string }, command) => {
      const token = await tokenOf(cli, options)
      const { name, forge } = options
      const body = { url, token, ...(name !== undefined && { name }), ...(forge !== undefined && { forge }) }
      const made = await cli.client(command).send('POST', '/api/v1/connections', Repository, body)
      showConnection(cli.output(command), made)
    })

  repo
    .command('rotate')
    .description('give the connection of a repository another token, and its webhook another secret')
    .argument('<name>')
    .option('--token-file <file>', 'file with the new token; asked for where absent')
    .option('--app <id>', 'number of the GitHub App, in place of a token')
    .option('--key-file <file>', 'file with the private key of the App')
    .action(async (name: string, options: Credentials, command) => {
      const token = await tokenOf(cli, options)
      const row = await cli.client(command).send('PUT', `${at(name)}/token`, Repository, { token })
      showConnection(cli.output(command), row)
    })

  repo
    .command('look')
    .description('look at the forge now, without waiting for a webhook or the next minute')
    .argument('<name>')
    .action(async (name: string, _options, command) => {
      const row = await cli.client(command).send('POST', `${at(name)}/look`, Repository, {})
      showConnection(cli.output(command), row)
    })

  repo
    .command('disconnect')
    .description('take the connection of a repository away; it is hosted here from then on')
    .argument('<name>')
    .action(async (name: string, _options, command) => {
      const { repository, webhookLeft } = await cli.client(command).send('DELETE', at(name), Disconnected)
      const output = cli.output(command)
      output.result({ repository, webhookLeft }, () => `${repository.name} is hosted here now: ${repository.gitUrl}`)
      if (webhookLeft !== null) output.note(`Its webhook still stands on the forge (${webhookLeft}): remove it there.`)
    })
}

interface Credentials {
  tokenFile?: string
  app?: string
  keyFile?: string
}

/** A token, or of a GitHub App its number and key in one, as the server takes it. */
async function tokenOf(cli: Cli, { tokenFile, app, keyFile }: Credentials): Promise<string> {
  if ((app === undefined) !== (keyFile === undefined) || (app !== undefined && tokenFile !== undefined))
    throw new TrueupError('INVALID_REQUEST', {
      doing: 'reading the credentials',
      why: '--app and --key-file go together, and without --token-file',
    })
  if (keyFile !== undefined) return `${app}\n${await secretIn(cli, keyFile)}`
  return tokenFile === undefined ? (await readSecret(cli, 'Token: ')).trim() : await secretIn(cli, tokenFile)
}

async function secretIn(cli: Cli, file: string): Promise<string> {
  const text = await readFile(resolve(cli.cwd, file), 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new TrueupError('INVALID_REQUEST', {
      doing: `reading the credentials from ${file}`,
      why: error.message,
      cause: error,
    })
  })
  return text.trim()
}

function showConnection(output: Output, row: Repository): void {
  output.result(row, ({ when }) =>
    fields([['name', row.name], ['branch', row.defaultBranch], ...connectionFields(row, when)]),
  )
}

/** What people want to know of a connection: where, how the last look went, how much may still be asked. */
export function connectionFields({ connection }: Repository, when: Layout['when']): [string, string][] {
  if (!connection) return []
  const { url, account, lookedAt, lookEveryMs, problem, webhookProblem, requests } = connection
  const left = requests
    ? `, ${requests.left} of ${requests.limit} requests left${requests.resetAt === null ? '' : ` until ${when(requests.resetAt)}`}`
    : ''
  return [
    ['forge', url],
    ['as', account],
    ['looked', `${lookedAt === null ? 'not yet' : when(lookedAt)}, every ${lookEveryMs / 1000} s${left}`],
    ['webhook', webhookProblem === null ? 'yes' : `no: ${webhookProblem}`],
    ...(problem ? ([['problem', `${problem.doing}: ${problem.why}`]] as [string, string][]) : []),
  ]
}
