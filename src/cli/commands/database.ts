import { resolve } from 'node:path'
import { InvalidArgumentError } from 'commander'
import { RETENTION_KINDS, type RetentionKind } from '../../domain/retention.ts'
import { DatabaseSize, Pruned, Retention } from '../../server/schemas/database.ts'
import { count } from '../arguments.ts'
import type { CommandModule } from '../cli.ts'
import { databaseOf, databaseOption } from '../database-option.ts'
import { dataDirectory } from '../settings.ts'

const PATH = '/api/v1/server/database'

const WHAT: { [kind in RetentionKind]: { days: string; count: string } } = {
  logs: { days: 'logs of runs', count: 'newest logs of each kind of run, by stack' },
  plans: { days: 'plans of previews and drift checks', count: 'newest plans, by stack' },
  previews: { days: 'previews themselves', count: 'newest previews, by stack' },
  checks: { days: 'drift checks themselves', count: 'newest checks, by stack' },
  states: { days: 'versions of Terraform states', count: 'newest versions of each state' },
  audit: { days: 'audit events in the database; then they leave for an archive', count: 'newest audit events' },
}

/** The database of a server: how large it is, and what it keeps for how long. */
export const databaseCommands: CommandModule = (program, cli) => {
  const database = program.command('database').description("the server's database: its size, and what is kept how long")

  database
    .command('size')
    .description('how large it is, by table, and how long things are kept')
    .action(async (_options, command) => {
      const size = await cli.client(command).get(PATH, DatabaseSize)
      cli.output(command).result(size, ({ table }) =>
        [
          `${megabytes(size.bytes)} MB, of which ${megabytes(size.free)} MB are free for what comes next`,
          ...(size.shrinks
            ? []
            : ['It was made by an earlier version and gives no room back; `trueup database vacuum` changes that.']),
          table(
            ['table', 'MB'],
            size.tables.slice(0, 12).map((row) => [row.table, megabytes(row.bytes)]),
          ),
          table(['kept', 'days', 'count'], keptRows(size.retention)),
        ].join('\n\n'),
      )
    })

  const keep = database
    .command('keep')
    .description('say how long things are kept, by age and by count; what is not named stays as it is')
  for (const kind of RETENTION_KINDS) {
    keep.option(`--${kind} <days>`, WHAT[kind].days, orForGood)
    keep.option(`--${kind}-count <n>`, WHAT[kind].count, orForGood)
  }
  keep
    .addHelpText(
      'after',
      '\nWhat is over one of the two goes; "forever" takes a limit away.\n\nExamples:\n  $ trueup database keep --logs 90 --checks 800\n  $ trueup database keep --plans-count 50 --audit forever',
    )
    .action(async (options: { [name: string]: Limit | undefined }, command) => {
      const client = cli.client(command)
      const { retention } = await client.get(PATH, DatabaseSize)
      const wanted = Object.fromEntries(
        RETENTION_KINDS.map((kind) => {
          const { days, count: most } = retention[kind]
          return [kind, { days: limit(options[kind], days), count: limit(options[`${kind}Count`], most) }]
        }),
      )
      const kept = await client.send('PUT', `${PATH}/retention`, Retention, wanted)
      cli.output(command).result(kept, ({ table }) => table(['kept', 'days', 'count'], keptRows(kept)))
    })

  database
    .command('vacuum')
    .description('write the database anew without what is free in it, on the machine of a stopped server')
    .option('--data <directory>', 'data directory; no server may use it at the time')
    .addHelpText('after', '\nExample:\n  $ trueup database vacuum --data /var/lib/trueup')
    .action(async (options: { data?: string }, command) => {
      const { vacuumOffline } = await import('../../store/retention/vacuum-offline.ts')
      const data = resolve(cli.cwd, dataDirectory(cli.env, options.data))
      const size = await vacuumOffline(data)
      cli
        .output(command)
        .result({ data, ...size }, () => `${megabytes(size.before)} MB before, ${megabytes(size.after)} MB now`)
    })

  database
    .command('move')
    .description('move all rows to PostgreSQL, or back into the data directory, on the machine of a stopped server')
    .option('--data <directory>', 'data directory; no server may use it at the time')
    .addOption(databaseOption())
    .option('--back', 'from PostgreSQL into the data directory')
    .addHelpText(
      'after',
      '\nEvery table is compared before it counts: all of them are the same there, or nothing is changed. What the rows came from stays as\nit was.\n\nExamples:\n  $ trueup database move --data /var/lib/trueup --database postgres://trueup@db.example.org/trueup\n  $ trueup database move --data /var/lib/trueup --database postgres://trueup@db.example.org/trueup --back',
    )
    .action(async (options: { data?: string; database?: string; back?: boolean }, command) => {
      const { moveToEmbedded, moveToPostgres } = await import('../../store/move/move.ts')
      const output = cli.output(command)
      const data = resolve(cli.cwd, dataDirectory(cli.env, options.data))
      const url = databaseOf(cli.env, options)
      if (url === undefined) return command.error('error: name the PostgreSQL database: --database')
      const move = options.back ? moveToEmbedded : moveToPostgres
      const moved = await move(data, url, (name) => output.progress(`…  ${name}`))
      output.endProgress()
      output.result(moved, ({ table }) =>
        [
          table(
            ['table', 'rows'],
            moved.tables.map(({ table: name, rows }) => [name, String(rows)]),
          ),
          `${moved.rows} rows are the same there. ${options.back ? 'Start the server without --database.' : 'Start the server with --database, or TRUEUP_DATABASE.'}`,
        ].join('\n\n'),
      )
    })

  database
    .command('prune')
    .description('remove now what is older or more than it is to be kept; the server does so every day')
    .option('--dry-run', 'only say how much that is')
    .action(async (options: { dryRun?: boolean }, command) => {
      const order = { dryRun: options.dryRun ?? false }
      const pruned = await cli.client(command).send('POST', `${PATH}/prune`, Pruned, order)
      cli.output(command).result(pruned, ({ table }) =>
        [
          table(
            ['kind', pruned.dryRun ? 'would go' : 'gone'],
            RETENTION_KINDS.map((kind) => [kind, String(pruned[kind])]),
          ),
          pruned.audit > 0 && !pruned.dryRun ? 'Where the audit events are: `trueup audit archives`.' : '',
        ]
          .filter((text) => text !== '')
          .join('\n\n'),
      )
    })
}

type Limit = number | 'forever'

const limit = (asked: Limit | undefined, now: number | null): number | null =>
  asked === undefined ? now : asked === 'forever' ? null : asked

/** A whole number of at least 1, or no limit. */
function orForGood(text: string): Limit {
  if (text === 'forever') return text
  try {
    return count(text)
  } catch {
    throw new InvalidArgumentError('A whole number of at least 1 is needed, or "forever".')
  }
}

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1)

const keptRows = (retention: Retention): string[][] => [
  ...RETENTION_KINDS.map((kind) => {
    const { days, count: most } = retention[kind]
    return [kind, days === null ? 'for good' : String(days), most === null ? '' : String(most)]
  }),
  ['deployments', 'for good', ''],
]
