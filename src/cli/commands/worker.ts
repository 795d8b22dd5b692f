import { parseDuration } from '../../domain/duration.ts'
import { Done } from '../../server/schemas/common.ts'
import { Enrolment, ServerInfo, Worker } from '../../server/schemas/operations.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import type { CommandModule } from '../cli.ts'
import { collect, when } from '../output.ts'

interface EnrolOptions {
  pools: string[]
  repository: string[]
  environment: string[]
  expires: string
}

const scopeText = ({ repositories, environments }: Pick<Worker, 'repositories' | 'environments'>): string =>
  [repositories, environments].map((names) => names.join(',') || '*').join('/')

export const workerCommands: CommandModule = (program, cli) => {
  const worker = program.command('worker').description('workers, which execute runs')

  worker
    .command('enrol')
    .description('make a one-time token with which a worker joins')
    .option('--pools <names...>', 'pools that it serves', ['default'])
    .option('--repository <names...>', 'repositories whose runs it is given; all where absent', [])
    .option('--environment <names...>', 'environments whose runs it is given; all where absent', [])
    .option('--expires <duration>', 'how long the token can be used', '1h')
    .addHelpText(
      'after',
      '\nExample:\n  $ trueup worker enrol --pools prod-agents --repository shop --environment production > token',
    )
    .action(async (options: EnrolOptions, command) => {
      const client = cli.client(command)
      const { pools, repository: repositories, environment: environments, expires } = options
      const body = { pools, repositories, environments, expiresInMs: parseDuration(expires) }
      const made = await client.send('POST', '/api/v1/workers/enrolments', Enrolment, body)
      const output = cli.output(command)
      output.result(made, () => made.token)
      if (output.json) return
      output.note(
        `For one worker of ${made.pools.join(', ')}, until ${when(made.expiresAt)}. It is not shown again. On the worker's machine:`,
      )
      output.note(`  trueup runner --server ${client.connection.url} --token-file FILE`)
    })

  worker
    .command('signers')
    .description('a line for the allowed signers of an agent: the key with which the server signs merges')
    .addHelpText('after', '\nExample:\n  $ trueup worker signers >> /etc/trueup/allowed_signers')
    .action(async (_options, command) => {
      const client = cli.client(command)
      const { signingKey } = await client.get('/api/v1/server', ServerInfo)
      if (signingKey === null)
        throw new TrueupError('NOT_FOUND', {
          doing: 'reading the key that signs merges',
          why: 'the server signs none: it found no ssh-keygen when it started',
          next: 'Install openssh-client on the server and start it again.',
        })
      const principal = `forge@${new URL(client.connection.url).hostname}`
      const result = { principal, signingKey }
      cli.output(command).result(result, () => `${principal} namespaces="git" ${signingKey}`)
    })

  worker
    .command('list')
    .description('all workers')
    .action(async (_options, command) => {
      const workers = await collect(cli.client(command).all('/api/v1/workers', Worker))
      cli.output(command).result(workers, ({ table }) =>
        table(
          ['id', 'name', 'kind', 'pools', 'for', 'state', 'last seen'],
          workers.map((row) => [
            row.id,
            row.name,
            row.builtin ? `${row.kind} (built-in)` : row.kind,
            row.pools.join(','),
            scopeText(row),
            row.revokedAt !== null ? 'revoked' : row.connected ? 'connected' : 'away',
            when(row.lastSeenAt),
          ]),
        ),
      )
    })

  worker
    .command('revoke')
    .description('refuse a worker from now on')
    .argument('<id>', 'id of the worker, as `trueup worker list` shows it')
    .action(async (id: string, _options, command) => {
      await cli.client(command).send('DELETE', `/api/v1/workers/${encodeURIComponent(id)}`, Done)
      cli.output(command).result({ id, revoked: true }, () => `Revoked ${id}`)
    })
}
