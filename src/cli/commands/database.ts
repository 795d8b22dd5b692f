import { DatabaseSize, Pruned, Retention } from '../../server/schemas/database.ts'
import { count } from '../arguments.ts'
import type { CommandModule } from '../cli.ts'

const PATH = '/api/v1/server/database'

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
          table(
            ['table', 'MB'],
            size.tables.slice(0, 12).map((row) => [row.table, megabytes(row.bytes)]),
          ),
          keptText(size.retention),
        ].join('\n\n'),
      )
    })

  database
    .command('keep')
    .description('say how many days things are kept; what is not named stays as it is')
    .option('--logs <days>', 'logs of runs', count)
    .option('--plans <days>', 'plans of previews and drift checks', count)
    .option('--runs <days>', 'previews and drift checks themselves', count)
    .addHelpText('after', '\nExample:\n  $ trueup database keep --logs 90 --runs 800')
    .action(async (options: Partial<Retention>, command) => {
      const client = cli.client(command)
      const { retention } = await client.get(PATH, DatabaseSize)
      const kept = await client.send('PUT', `${PATH}/retention`, Retention, { ...retention, ...options })
      cli.output(command).result(kept, () => keptText(kept))
    })

  database
    .command('prune')
    .description('remove now what is older than it is to be kept; the server does so every day')
    .option('--dry-run', 'only say how much that is')
    .action(async (options: { dryRun?: boolean }, command) => {
      const order = { dryRun: options.dryRun ?? false }
      const pruned = await cli.client(command).send('POST', `${PATH}/prune`, Pruned, order)
      const verb = pruned.dryRun ? 'would lose' : 'lost'
      cli
        .output(command)
        .result(
          pruned,
          () =>
            `${pruned.runs} previews and checks ${pruned.dryRun ? 'would go' : 'are gone'}; ${pruned.plans} runs ${verb} their plan, ${pruned.logs} their log`,
        )
    })
}

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1)

const keptText = ({ logs, plans, runs }: Retention): string =>
  `Kept: logs ${logs} days, plans of previews and checks ${plans} days, previews and checks ${runs} days; deployments and audit for good.`
