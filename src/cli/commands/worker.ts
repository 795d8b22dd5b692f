import { z } from 'zod'
import { describeTools } from '../../domain/runs/programs.ts'
import { clockSkewText } from '../../domain/wire/request-proof.ts'
import { parseDuration } from '../../domain/duration.ts'
import { Done } from '../../server/schemas/common.ts'
import { Enrolment, Queue, ServerInfo, Worker, WorkerLog } from '../../server/schemas/operations.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import type { CommandModule } from '../cli.ts'
import type { Client } from '../client.ts'
import { collect, fields } from '../output.ts'
import { waitFor } from '../wait.ts'
import { goes, id, shrinks, state } from '../table.ts'
import { watched, withWatch } from '../watch.ts'
import { when } from '../times.ts'
import { workerLogText } from '../worker-log.ts'

interface EnrolOptions {
  pools: string[]
  repository: string[]
  environment: string[]
  expires: string
}

/** Clocks that differ by less are shown as right. */
const SHOWN_SKEW_MS = 2_000

/** By id, else the newest of that name. */
async function workerNamed(client: Client, id: string, doing: string): Promise<Worker> {
  const workers = await collect(client.all('/api/v1/workers', Worker))
  const row = workers.find((each) => each.id === id) ?? workers.findLast((each) => each.name === id)
  if (row) return row
  throw new TrueupError('NOT_FOUND', {
    doing: `${doing} worker ${id}`,
    why: 'there is no worker of that id or name',
    next: '`trueup worker list` shows all.',
  })
}

const scopeText = ({ repositories, environments }: Pick<Worker, 'repositories' | 'environments'>): string =>
  [repositories, environments].map((names) => names.join(',') || '*').join('/')

/** What workers say of themselves, and what is noted beside it. */
const Info = z.object({
  hostname: z.string().optional(),
  version: z.string().optional(),
  slots: z.number().optional(),
})

function stateOf({ revokedAt, connected, draining }: Worker): string {
  if (revokedAt !== null) return 'revoked'
  const state = connected ? 'connected' : 'away'
  return draining ? `${state}, draining` : state
}

const clockText = (skewMs: number | null): string =>
  skewMs === null ? '-' : (clockSkewText(skewMs, SHOWN_SKEW_MS) ?? 'right')

function doingText({ runs, otherRuns }: Worker): string {
  const shown = runs.map(
    ({ id, repository, stack, kind, state }) => `${kind} of ${repository} ${stack}, ${state} (${id})`,
  )
  const others = otherRuns === 0 ? [] : [`${otherRuns} of repositories that you have no role in`]
  return [...shown, ...others].join('; ') || 'nothing'
}

const toolsText = (tools: Worker['tools']): string => (tools === null ? '-' : describeTools(tools) || 'none')

function keyText({ id, since, formerUntil, askedAt }: Worker['key']): string {
  const former =
    formerUntil !== null && formerUntil > Date.now() ? `, the one before counts until ${when(formerUntil)}` : ''
  const asked = askedAt === null ? '' : ', a new one is asked for'
  return `${id} since ${when(since)}${former}${asked}`
}

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

  withWatch(worker.command('list').description('all workers')).action(
    watched(cli, async (_options, command) => {
      const workers = await collect(cli.client(command).all('/api/v1/workers', Worker))
      cli.output(command).result(workers, ({ table, when }) =>
        table(
          [
            id('id'),
            'name',
            goes('kind'),
            shrinks('pools'),
            goes('for'),
            state('state'),
            goes('clock'),
            shrinks('tools'),
            goes('runs'),
            'last seen',
          ],
          workers.map((row) => [
            row.id,
            row.name,
            row.builtin ? `${row.kind} (built-in)` : row.kind,
            row.pools.join(','),
            scopeText(row),
            stateOf(row),
            clockText(row.clockSkewMs),
            toolsText(row.tools),
            String(row.runs.length + row.otherRuns),
            when(row.lastSeenAt),
          ]),
        ),
      )
    }),
  )

  withWatch(worker.command('queues').description('what waits for workers, by pool')).action(
    watched(cli, async (_options, command) => {
      const { items } = await cli.client(command).get('/api/v1/workers/queues', z.object({ items: z.array(Queue) }))
      cli.output(command).result(items, ({ table, when }) =>
        table(
          ['pool', 'waiting', 'since', 'running', 'workers'],
          items.map(({ pool, waiting, oldestAt, running, workers }) => [
            pool,
            String(waiting),
            when(oldestAt),
            String(running),
            String(workers),
          ]),
        ),
      )
    }),
  )

  worker
    .command('show')
    .description('one worker: version, host, tools, what it serves, what it does now, when it was last heard of')
    .argument('<id>', 'id or name of the worker, as `trueup worker list` shows it')
    .action(
      watched(cli, async (id: string, _options, command) => {
        const row = await cli.client(command).get(`/api/v1/workers/${encodeURIComponent(id)}`, Worker)
        const info = Info.parse(row.info ?? {})
        cli.output(command).result(row, ({ when }) =>
          fields([
            ['id', row.id],
            ['name', row.name],
            ['kind', row.builtin ? `${row.kind} (built-in)` : row.kind],
            ['state', stateOf(row)],
            ['pools', row.pools.join(', ')],
            ['for', scopeText(row)],
            ['host', info.hostname ?? 'not heard of yet'],
            ['version', info.version ?? '-'],
            ['slots', String(info.slots ?? '-')],
            ['tools', toolsText(row.tools)],
            ['does', doingText(row)],
            ['clock', clockText(row.clockSkewMs)],
            ['last seen', when(row.lastSeenAt)],
            ['enrolled', when(row.createdAt)],
            ['key', keyText(row.key)],
          ]),
        )
      }),
    )

  worker
    .command('logs')
    .description("the newest entries of a connected worker's own log; for administrators")
    .argument('<id>', 'id or name of the worker, as `trueup worker list` shows it')
    .option('--lines <number>', 'how many, 2000 at most', '200')
    .addHelpText('after', '\nExample:\n  $ trueup worker logs edge-1 --lines 50')
    .action(async (id: string, { lines }: { lines: string }, command) => {
      const path = `/api/v1/workers/${encodeURIComponent(id)}/logs`
      const { entries } = await cli.client(command).get(path, WorkerLog, { lines })
      cli.output(command).result(entries, () => workerLogText(entries))
    })

  worker
    .command('drain')
    .description('give a worker no further runs; what it has comes to its end')
    .argument('<id>', 'id of the worker, as `trueup worker list` shows it')
    .option('--undo', 'give it runs again', false)
    .action(async (id: string, { undo }: { undo: boolean }, command) => {
      const path = `/api/v1/workers/${encodeURIComponent(id)}/draining`
      await cli.client(command).send('PUT', path, Done, { draining: !undo })
      cli
        .output(command)
        .result({ id, draining: !undo }, () => (undo ? `${id} takes runs again` : `${id} takes no further runs`))
    })

  worker
    .command('rotate')
    .description('have a worker replace its key by a new one; the key before counts for ten more minutes')
    .argument('<id>', 'id of the worker, as `trueup worker list` shows it')
    .option('--wait', 'until the new key is there', false)
    .option('--timeout <duration>', 'how long to wait', '10m')
    .action(async (id: string, { wait, timeout }: { wait: boolean; timeout: string }, command) => {
      const client = cli.client(command)
      const timeoutMs = parseDuration(timeout)
      const one = async () => await workerNamed(client, id, 'rotating the key of')
      const before = await one()
      await client.send('POST', `/api/v1/workers/${encodeURIComponent(before.id)}/rotation`, Done)
      const doing = `waiting for the new key of ${before.id}`
      const row = wait
        ? await waitFor(one, ({ key }) => key.id !== before.key.id, { doing, timeoutMs, signal: cli.signal })
        : before
      const text = wait
        ? `The key of ${row.id} is ${keyText(row.key)}`
        : `Asked ${row.id} for a new key${before.connected ? '' : ': it makes one when it connects'}`
      cli.output(command).result({ id: row.id, key: row.key, done: wait }, () => text)
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
