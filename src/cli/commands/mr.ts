import { execFileSync } from 'node:child_process'
import type { Command } from 'commander'
import { InvalidArgumentError, Option } from 'commander'
import { z } from 'zod'
import type { Plan as DomainPlan } from '../../domain/plans/plan.ts'
import { renderPlanText } from '../../domain/render/text.ts'
import { Done } from '../../server/schemas/common.ts'
import { FileDiff, MrDetail, MrSummary } from '../../server/schemas/merge-requests.ts'
import { RunDetail } from '../../server/schemas/plans.ts'
import { duration, mrNumber } from '../arguments.ts'
import type { Cli, CommandModule } from '../cli.ts'
import { runPath } from '../follow.ts'
import { HERE, numberOrHere, OPENING_MS } from '../mr-here.ts'
import { describeMr, diffText, isPlanned, planProgress } from '../mr-text.ts'
import { collect } from '../output.ts'
import { mrPath, withRepository } from '../repository.ts'
import { waitFor } from '../wait.ts'
import { addBranchCommands } from './mr-branch.ts'
import { addCommentCommands } from './mr-comments.ts'
import { addEditCommands } from './mr-edits.ts'
import { addReviewCommands } from './mr-review.ts'
import { shrinks, state } from '../table.ts'
import { watched, withWatch } from '../watch.ts'

export const mrCommands: CommandModule = (program, cli) => {
  const mr = program.command('mr').description('merge requests: the only way to change anything')
  const path = (command: Command, number?: number) => mrPath(cli, command, number)

  withWatch(withRepository(mr.command('list').description('merge requests, newest first')))
    .addOption(new Option('--state <state>').choices(['open', 'merged', 'closed', 'all']).default('open'))
    .action(
      watched(cli, async (options: { state: string }, command) => {
        const all = await collect(cli.client(command).all(await path(command), MrSummary, { state: options.state }))
        cli.output(command).result(all, ({ table, when }) =>
          table(
            ['mr', shrinks('title'), state('state'), 'author', shrinks('branch'), 'updated'],
            all.map((row) => [
              `!${row.number}`,
              row.title,
              row.draft ? 'draft' : row.state,
              row.author,
              row.sourceBranch,
              when(row.updatedAt),
            ]),
          ),
        )
      }),
    )

  withRepository(mr.command('create').description('open a merge request of a pushed branch'))
    .option('--source <branch>', 'pushed branch (default: the one checked out here)')
    .option('--target <branch>', 'branch to merge into (default: the default branch)')
    .option('--title <text>', 'title (default: the subject of the last commit here)')
    .option('--description <text>', '', '')
    .option('--draft', 'not to be merged yet', false)
    .addHelpText('after', '\nExample:\n  $ git push origin HEAD\n  $ trueup mr create --title "Raise the limit"')
    .action(
      async (
        options: { source?: string; target?: string; title?: string; description: string; draft: boolean },
        command,
      ) => {
        const body = {
          sourceBranch: options.source ?? git(cli, ['rev-parse', '--abbrev-ref', 'HEAD'], '--source'),
          targetBranch: options.target,
          title: options.title ?? git(cli, ['log', '-1', '--format=%s'], '--title'),
          description: options.description,
          draft: options.draft,
        }
        const made = await cli.client(command).send('POST', await path(command), MrDetail, body)
        cli.output(command).result(made, () => `!${made.number} ${made.title}`)
      },
    )

  withWatch(withRepository(mr.command('show').description('one merge request: plans, gate and what is missing')))
    .argument('[number]', HERE, mrNumber)
    .option('--plan', 'also the whole plan of every stack', false)
    .option('--diff', 'also what changes in Git', false)
    .addOption(new Option('--wait [duration]', 'wait until the plans are made').preset('10m').argParser(duration))
    .addHelpText(
      'after',
      '\nExit code with --wait: 1 when plans could not be made: one failed, trueup.yaml is broken, or Git finds conflicts.',
    )
    .action(
      watched(
        cli,
        async (asked: number | undefined, options: { plan: boolean; diff: boolean; wait?: number }, command) => {
          const client = cli.client(command)
          const number = await numberOrHere(cli, command, asked, options.wait ? OPENING_MS : 0)
          const url = await path(command, number)
          const output = cli.output(command)
          const timeoutMs = options.wait ?? 0
          const detail = await waitFor(
            () => client.get(url, MrDetail),
            (answer) => timeoutMs === 0 || answer.planned || answer.state !== 'open' || answer.conflicts.length > 0,
            {
              doing: `waiting for the plans of !${number}`,
              timeoutMs,
              signal: cli.signal,
              show: (answer) => timeoutMs > 0 && output.progress(planProgress(answer)),
            },
          )
          const plans = options.plan ? await plansOf(cli, command, detail) : []
          const diff = options.diff
            ? (await client.get(`${url}/diff`, z.object({ items: z.array(FileDiff) }))).items
            : []
          output.result({ ...detail, ...(options.plan && { plans }), ...(options.diff && { diff }) }, (layout) =>
            [
              describeMr(detail, layout, (text) => output.paint('red', text)),
              ...plans.map(
                (run) =>
                  `${run.stack}\n${run.plan ? renderPlanText(run.plan as unknown as DomainPlan, { color: colour(cli, command), width: layout.width }) : run.state}`,
              ),
              ...(options.diff ? [diffText(diff)] : []),
            ].join('\n\n'),
          )
          if (timeoutMs > 0 && !isPlanned(detail)) cli.exitWith(1)
        },
      ),
    )

  addReviewCommands(mr, cli)
  addBranchCommands(mr, cli)

  for (const verb of ['close', 'reopen'] as const) {
    withRepository(mr.command(verb).description(`${verb} it`))
      .argument('<number>', '', mrNumber)
      .action(async (number: number, _options, command) => {
        const changed = await cli.client(command).send('POST', `${await path(command, number)}/${verb}`, MrDetail)
        cli.output(command).result(changed, () => `!${number} is ${changed.state}`)
      })
  }

  withRepository(mr.command('plan').description('look at the plans again; failed ones are made anew'))
    .argument('<number>', '', mrNumber)
    .action(async (number: number, _options, command) => {
      const done = await cli.client(command).send('POST', `${await path(command, number)}/plan`, Done)
      cli.output(command).result(done, () => `Planning !${number} again`)
    })

  withRepository(mr.command('edit').description('change title, description or draft'))
    .argument('<number>', '', mrNumber)
    .option('--title <text>')
    .option('--description <text>')
    .option('--draft', 'not to be merged yet')
    .option('--ready', 'no draft any more')
    .action(
      async (
        number: number,
        options: { title?: string; description?: string; draft?: boolean; ready?: boolean },
        command,
      ) => {
        const { title, description } = options
        const draft = options.ready ? false : options.draft
        const changed = await cli
          .client(command)
          .send('PATCH', await path(command, number), MrDetail, { title, description, draft })
        cli.output(command).result(changed, () => `!${number} ${changed.title}${changed.draft ? ' (draft)' : ''}`)
      },
    )

  addCommentCommands(mr, cli)
  addEditCommands(mr, cli)
}

function git(cli: Cli, argv: string[], option: string): string {
  try {
    return execFileSync('git', argv, { cwd: cli.cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  } catch {
    throw new InvalidArgumentError(`This directory is no Git repository: name it with ${option}.`)
  }
}

const colour = (cli: Cli, command: Command): boolean => cli.output(command).paint('bold', 'x') !== 'x'

async function plansOf(cli: Cli, command: Command, detail: MrDetail): Promise<RunDetail[]> {
  const client = cli.client(command)
  const ids = detail.stacks.flatMap((stack) => (stack.run === null ? [] : [stack.run]))
  return await Promise.all(ids.map((id) => client.get(runPath(id), RunDetail)))
}
