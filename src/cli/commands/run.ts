import { Option } from 'commander'
import { z } from 'zod'
import { RUN_KINDS, RUN_STATES } from '../../domain/runs/run.ts'
import type { Plan as DomainPlan } from '../../domain/plans/plan.ts'
import { summaryText } from '../../domain/plans/summary.ts'
import { renderPlanText } from '../../domain/render/text.ts'
import { RunDetail, RunSummary } from '../../server/schemas/plans.ts'
import { count, duration, mrNumber } from '../arguments.ts'
import type { CommandModule } from '../cli.ts'
import { followRun, runPath as one } from '../follow.ts'
import { writeLog } from '../run-log.ts'
import { collect, fields, type Layout } from '../output.ts'
import { repositoryName, repositoryPath, withRepository } from '../repository.ts'
import { goes, id, shrinks, state } from '../table.ts'
import { watched, withWatch } from '../watch.ts'
import { when as timestamp } from '../times.ts'

export const runCommands: CommandModule = (program, cli) => {
  const run = program.command('run').description('runs: what workers do')

  withWatch(withRepository(run.command('list').description('runs, newest first')))
    .addOption(new Option('--kind <kind>').choices([...RUN_KINDS]))
    .addOption(new Option('--state <state>').choices([...RUN_STATES]))
    .option('--mr <number>', 'those of one merge request', mrNumber)
    .option('--limit <n>', 'at most this many', count, 30)
    .action(
      watched(cli, async (options: { kind?: string; state?: string; mr?: number; limit: number }, command) => {
        const { limit, ...filter } = options
        const url = `${repositoryPath(await repositoryName(cli, command))}/runs`
        const page = z.object({ items: z.array(RunSummary), next: z.string().nullable() })
        const runs =
          limit <= 200
            ? (
                await cli
                  .client(command)
                  .get(url, page, { kind: filter.kind, state: filter.state, mr: filter.mr, limit })
              ).items
            : (
                await collect(
                  cli.client(command).all(url, RunSummary, { kind: filter.kind, state: filter.state, mr: filter.mr }),
                )
              ).slice(0, limit)
        cli.output(command).result(runs, ({ table, when }) =>
          table(
            [id('run'), 'kind', 'stack', state('state'), shrinks('reason'), shrinks('plan'), goes('commit'), 'created'],
            runs.map((row) => [
              row.id,
              row.kind,
              row.stack,
              row.state,
              row.reason ?? '-',
              row.summary ? summaryText({ summary: row.summary }) : '-',
              row.commit.slice(0, 10),
              when(row.createdAt),
            ]),
          ),
        )
      }),
    )

  withWatch(run.command('show').description('one run with its plan'))
    .argument('<run>')
    .action(
      watched(cli, async (id: string, _options, command) => {
        const detail = await cli.client(command).get(one(id), RunDetail)
        const output = cli.output(command)
        output.result(detail, (layout) => describe(detail, layout, output.paint('bold', 'x') !== 'x'))
      }),
    )

  run
    .command('logs')
    .description('the log of a run')
    .argument('<run>')
    .option('--follow', 'go on until the run has ended', false)
    .option('--timestamps', 'begin each line with the time at which it was written', false)
    .action(async (id: string, options: { follow: boolean; timestamps: boolean }, command) => {
      const client = cli.client(command)
      const output = cli.output(command)
      let text = ''
      const write = (part: string): void => {
        if (output.json) text += part
        else cli.streams.out.write(part)
      }
      await writeLog(client, id, { ...options, signal: cli.signal, write })
      if (output.json) output.result({ run: id, text }, () => '')
    })

  run
    .command('watch')
    .description('follow a run to its end: its log on stdout, its states on stderr')
    .argument('<run>')
    .addOption(
      new Option('--timeout <duration>', 'give up after this time').default(3_600_000, '1h').argParser(duration),
    )
    .addHelpText('after', '\nExit code: 1 when the run did not succeed.')
    .action(async (id: string, options: { timeout: number }, command) => {
      const client = cli.client(command)
      const output = cli.output(command)
      // Where the log runs through the same terminal, a line that is rewritten would swallow parts of it.
      const following = { client, output: { ...output, live: false }, signal: cli.signal, timeoutMs: options.timeout }
      const write = (part: string): void => void (output.json || cli.streams.out.write(part))
      const reading = writeLog(client, id, { follow: true, signal: cli.signal, write })
      const [ended] = await Promise.all([followRun(following, id), reading])
      output.result(ended, () => '')
      if (ended.state !== 'succeeded') cli.exitWith(1)
    })

  run
    .command('approve')
    .description('let a waiting run go on with the plan that it shows')
    .argument('<run>')
    .option('--digest <digest>', 'plan that you looked at (default: the one shown now)')
    .option(
      '--reason <text>',
      'for administrators who release their own change, or what others are to approve: recorded as a bypass',
    )
    .action(async (id: string, options: { digest?: string; reason?: string }, command) => {
      const client = cli.client(command)
      const seen = await client.get(one(id), RunDetail)
      const digest = options.digest ?? seen.planDigest ?? ''
      const approved = await client.send('POST', `${one(id)}/approve`, RunDetail, { digest, reason: options.reason })
      cli
        .output(command)
        .result(approved, ({ width }) =>
          [
            `Approved ${id}: it is planned again and applied when the plan is the same`,
            ...(seen.plan ? [renderPlanText(seen.plan as unknown as DomainPlan, { color: false, width })] : []),
          ].join('\n\n'),
        )
    })

  run
    .command('cancel')
    .description('ask for its end')
    .argument('<run>')
    .option('--reason <text>')
    .action(async (id: string, options: { reason?: string }, command) => {
      const canceled = await cli
        .client(command)
        .send('POST', `${one(id)}/cancel`, RunDetail, { reason: options.reason })
      cli
        .output(command)
        .result(canceled, () => (canceled.finishedAt === null ? `Asked ${id} to stop` : `${id} is ${canceled.state}`))
    })

  run
    .command('retry')
    .description('do it again with a fresh plan')
    .argument('<run>')
    .action(async (id: string, _options, command) => {
      const again = await cli.client(command).send('POST', `${one(id)}/retry`, RunDetail)
      cli.output(command).result(again, () => again.id)
    })
}

function describe(run: RunDetail, { table, when, wrap, width }: Layout, color: boolean): string {
  const rows: [string, string][] = [
    ['run', run.id],
    ['kind', run.kind],
    ['stack', run.stack],
    ['state', `${run.state}${run.reason ? ` (${run.reason})` : ''}`],
    ...(run.message ? [['message', run.message] as [string, string]] : []),
    ['commit', run.commit],
    ...(run.mr === null ? [] : [['mr', `!${run.mr}`] as [string, string]]),
    ...(run.notBefore === null ? [] : [['not before', timestamp(run.notBefore)] as [string, string]]),
    ['created', when(run.createdAt)],
    ['finished', when(run.finishedAt)],
    ...(run.repeats > 0
      ? [['the same again', `${run.repeats} times, last ${when(run.repeatedAt)}`] as [string, string]]
      : []),
  ]
  const parts = [fields(rows)]
  if (run.error)
    parts.push(`${wrap(`${run.error.doing}: ${run.error.why}`)}\n${wrap(`${run.error.next} (${run.error.code})`)}`)
  if (run.differences.length > 0)
    parts.push(`Not what was approved:\n${run.differences.map((line) => `  ${line}`).join('\n')}`)
  if (run.plan) parts.push(renderPlanText(run.plan as unknown as DomainPlan, { color, width }))
  if (run.resources.length > 0) {
    parts.push(
      table(
        ['resource', 'actions', state('state'), 'message'],
        run.resources.map((row) => [row.address, row.actions.join(' '), row.state, row.message ?? '']),
      ),
    )
  }
  for (const result of [...run.checks, ...run.verify].filter((entry) => !entry.ok))
    parts.push(`${result.name} (exit ${result.exitCode})\n${result.output}`)
  return parts.join('\n\n')
}
