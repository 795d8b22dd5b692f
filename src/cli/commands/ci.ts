import { readFile, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { visible } from '../../domain/render/safe-text.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import type { ApplyReport } from '../ci/apply.ts'
import { FORGE_KINDS, type ForgeKind } from '../ci/forge-kinds.ts'
import type { DriftReport } from '../ci/drift.ts'
import type { PlanReport } from '../ci/planned.ts'
import type { Pipeline } from '../ci/pipeline.ts'
import type { Outcome } from '../ci/reports.ts'
import type { Cli, CommandModule } from '../cli.ts'
import type { Output } from '../output.ts'

interface JobOptions {
  directory: string
  data?: string
  remote?: string
  repository?: string
  forge?: ForgeKind
  forgeUrl?: string
  lease: number
  wait: number
  secretEnv?: string[]
  junit?: string
}

interface PlanOptions extends JobOptions {
  head?: string
  target?: string
  change?: number
  report?: string
  planFile?: string
  gitlabReport?: string
  comment: boolean
}

interface ApplyOptions extends JobOptions {
  commit: string
  planFile?: string
  retryLost?: boolean
}

/** `trueup ci`: the same engine as a job of a pipeline, with no server at all. */
export const ciCommands: CommandModule = (program, cli) => {
  const ci = program
    .command('ci')
    .description('plan, apply and look for drift in a pipeline of GitLab, GitHub, Gitea, Jenkins or a shell')
  keyCommand(ci, cli)
  planCommand(ci, cli)
  applyCommand(ci, cli)
  driftCommand(ci, cli)
}

function keyCommand(ci: Command, cli: Cli): void {
  ci.command('key')
    .description('make the key that pipelines vouch with, for the secret variable TRUEUP_CI_KEY')
    .addHelpText(
      'after',
      '\nIt is shown once and kept nowhere.\n\nExample:\n  $ trueup ci key | gh secret set TRUEUP_CI_KEY',
    )
    .action(async (_options: object, command) => {
      const { makeKey } = await import('../ci/key.ts')
      const key = await makeKey()
      cli.output(command).result({ key }, () => key)
    })
}

function planCommand(ci: Command, cli: Cli): void {
  withJobOptions(ci.command('plan'))
    .description('plan what merging this checkout would change, and say so on the merge request')
    .option('--head <revision>', 'what is to be merged (default: as the CI system says, else HEAD)')
    .option(
      '--target <revision>',
      'what it is merged into (default: as the CI system says); without one, what is not deployed yet is planned',
    )
    .addOption(new Option('--change <number>', 'number of the merge request').argParser(count))
    .option('--report <file>', 'write the plans as Markdown')
    .option('--plan-file <file>', 'write the plans, signed, for `trueup ci apply --plan-file`')
    .option('--gitlab-report <file>', 'write the counts for `artifacts:reports:terraform`')
    .option('--no-comment', 'write no comment on the merge request')
    .addHelpText(
      'after',
      `
Tools run with the variables of the job. Exit code 2: there are changes; 1: something cannot be planned, or a policy or check
says no. With TRUEUP_CI_KEY the plans are signed; with TRUEUP_CI_TOKEN they are a comment on the merge request.

Examples:
  $ trueup ci plan
  $ trueup ci plan --target origin/main --junit plan.xml
  $ trueup ci plan --plan-file plans.md`,
    )
    .action(async (options: PlanOptions, command) => {
      const { planPipeline } = await import('../ci/plan.ts')
      const { exitOfPlan } = await import('../ci/planned.ts')
      const { gitlabReportOf, junitOf, markdownOf, outcomesOfPlan } = await import('../ci/reports.ts')
      const { targetOf } = await import('../ci/target.ts')
      const { comment } = await import('../ci/comment.ts')
      const output = cli.output(command)
      const report = await withJob(cli, output, options, async (pipeline) => {
        const { surroundings, forge } = pipeline
        const target = options.target ?? (await targetOf(pipeline))
        const head = options.head ?? surroundings.head ?? 'HEAD'
        const comments = options.comment && forge !== null && surroundings.change !== null && target !== undefined
        const order = {
          head,
          short: comments && options.planFile === undefined,
          ...(target !== undefined && { target }),
        }
        const planned = await planPipeline(pipeline, order)
        const commented = comments && (await comment(pipeline, markdownOf(planned, { comment: true })))
        return { ...planned, commented }
      })
      const write = writerOf(cli)
      const text = markdownOf(report, { comment: false })
      await write(options.report, text)
      await write(options.planFile, text)
      await write(options.junit, junitOf('trueup ci plan', outcomesOfPlan(report)))
      await write(options.gitlabReport, gitlabReportOf(report.stacks.flatMap(({ plan }) => plan ?? [])))
      const { vouched: _, ...shown } = report
      output.result(shown, () => planText(report, output))
      cli.exitWith(exitOfPlan(report))
    })
}

function applyCommand(ci: Command, cli: Cli): void {
  withJobOptions(ci.command('apply'))
    .description('deploy a commit of the default branch: plan anew, compare with what was vouched for, apply')
    .option('--commit <revision>', 'what to deploy', 'HEAD')
    .option('--plan-file <file>', 'plans of `trueup ci plan --plan-file`, instead of the comment on the merge request')
    .option('--retry-lost', 'go on where an apply was cut off that cannot simply be repeated')
    .addHelpText(
      'after',
      `
What is deployed is kept in the repository itself, in refs/trueup/ci/: the job has to be allowed to push there. Two pipelines
never change a stack at once, and none deploys over a newer merge.

Examples:
  $ trueup ci apply
  $ trueup ci apply --plan-file plans.md`,
    )
    .action(async (options: ApplyOptions, command) => {
      const { applyPipeline, exitOfApply } = await import('../ci/apply.ts')
      const { junitOf } = await import('../ci/reports.ts')
      const output = cli.output(command)
      const plans = options.planFile === undefined ? undefined : await planFile(options.planFile, cli)
      const report = await withJob(cli, output, options, (pipeline) =>
        applyPipeline(pipeline, {
          commit: options.commit,
          retryLost: options.retryLost ?? false,
          ...(plans && { plans }),
        }),
      )
      await writerOf(cli)(options.junit, junitOf('trueup ci apply', outcomesOf(report)))
      output.result(report, () => statesText(report.stacks, output))
      cli.exitWith(exitOfApply(report))
    })
}

function driftCommand(ci: Command, cli: Cli): void {
  withJobOptions(ci.command('drift'))
    .description('hold reality against what pipelines have deployed')
    .addHelpText('after', '\nExit code 2: something has drifted.\n\nExample:\n  $ trueup ci drift --junit drift.xml')
    .action(async (options: JobOptions, command) => {
      const { driftPipeline, exitOfDrift } = await import('../ci/drift.ts')
      const { junitOf } = await import('../ci/reports.ts')
      const output = cli.output(command)
      const report = await withJob(cli, output, options, driftPipeline)
      await writerOf(cli)(options.junit, junitOf('trueup ci drift', outcomesOf(report)))
      output.result(report, () => statesText(report.stacks, output))
      cli.exitWith(exitOfDrift(report))
    })
}

function withJobOptions(command: Command): Command {
  return command
    .option('--directory <directory>', 'a directory of the checkout', '.')
    .option('--data <directory>', 'caches of tools, to be kept between jobs (default: none are kept)')
    .option('--remote <remote>', 'where refs/trueup/ci/ is kept (default: origin)')
    .option('--repository <name>', 'name of the repository in what is signed (default: as the CI system says)')
    .addOption(
      new Option('--forge <kind>', 'what the forge is, where the CI system does not say').choices([...FORGE_KINDS]),
    )
    .option('--forge-url <url>', 'address of the repository there: https://gitlab.example.org/group/shop')
    .addOption(
      new Option('--lease <seconds>', 'after this long without a sign of life a pipeline counts as dead')
        .default(120)
        .argParser(seconds),
    )
    .addOption(new Option('--wait <seconds>', 'for other pipelines that have a stack').default(1800).argParser(seconds))
    .addOption(
      new Option(
        '--secret-env <names>',
        'variables whose values are hidden, besides those called TOKEN, PASSWORD and the like',
      ).argParser((text) => text.split(',').map((name) => name.trim())),
    )
    .option('--junit <file>', 'write a report as JUnit XML')
}

/** Opens the pipeline that the job is of. */
async function withJob<T>(
  cli: Cli,
  output: Output,
  options: JobOptions & { change?: number },
  use: (pipeline: Pipeline) => Promise<T>,
): Promise<T> {
  const { withPipeline } = await import('../ci/pipeline.ts')
  const { surroundingsOf } = await import('../ci/surroundings.ts')
  const { change, repository, data, remote, forge, forgeUrl } = options
  return await withPipeline(
    {
      directory: resolve(cli.cwd, options.directory),
      ...(data !== undefined && { data: resolve(cli.cwd, data) }),
      ...(remote !== undefined && { remote }),
      leaseMs: options.lease * 1000,
      waitMs: options.wait * 1000,
      secretEnv: options.secretEnv ?? [],
      env: cli.env,
      surroundings: surroundingsOf(cli.env, {
        ...(change !== undefined && { change }),
        ...(repository !== undefined && { repository }),
        ...(forge !== undefined && { forge }),
        ...(forgeUrl !== undefined && { forgeUrl }),
      }),
      say: (line) => output.note(visible(line)),
      signal: cli.signal,
    },
    use,
  )
}

/** Writes files that were asked for; relative to where the command was started. */
const writerOf =
  (cli: Cli) =>
  async (file: string | undefined, text: string): Promise<void> => {
    if (file !== undefined) await writeFile(resolve(cli.cwd, file), text)
  }

async function planFile(file: string, cli: Cli): Promise<{ file: string; text: string }> {
  const text = await readFile(resolve(cli.cwd, file), 'utf8').catch((cause: unknown) => {
    throw new TrueupError('NOT_FOUND', { doing: `reading the plans of ${file}`, why: 'it cannot be read', cause })
  })
  return { file, text }
}

function planText({ stacks, signed }: PlanReport, output: Output): string {
  const lines = stacks.map(({ stack, how, plan, error, later }) => {
    const what = later
      ? `planned once that is applied: ${later}`
      : error
        ? `${output.paint('red', 'error')}: ${error.doing}: ${error.why}`
        : plan
          ? summary(plan)
          : ''
    return `${output.paint('bold', stack)} (${how}): ${what}`
  })
  if (stacks.length > 0 && !signed) lines.push('Not signed: TRUEUP_CI_KEY is not set.')
  return lines.length > 0 ? lines.join('\n') : 'No stack is affected.'
}

const summary = ({
  summary: { create, update, delete: gone, replace, other },
}: PlanReport['stacks'][number]['plan'] & object) =>
  `${create} to create, ${update} to update, ${replace} to replace, ${gone} to delete${other > 0 ? `, ${other} other` : ''}`

type Ended = ApplyReport['stacks'][number] | DriftReport['stacks'][number]

const whyOf = ({ why, error }: Ended): string => why ?? (error ? `${error.doing}: ${error.why} (${error.code})` : '')

const outcomesOf = ({ stacks }: { stacks: readonly Ended[] }): Outcome[] =>
  stacks.map((one) => ({
    name: one.stack,
    failure: BAD.has(one.state) ? `${one.state}: ${whyOf(one)}` : null,
    said: one.state,
  }))

const BAD: ReadonlySet<string> = new Set(['failed', 'waiting', 'drifted'])

const statesText = (stacks: readonly Ended[], output: Output): string =>
  stacks.length === 0
    ? 'There is no stack.'
    : stacks
        .map((one) => {
          const why = whyOf(one)
          const next = one.error ? `\n  ${one.error.next}` : ''
          const state = BAD.has(one.state) ? output.paint('red', one.state) : one.state
          return `${output.paint('bold', one.stack)}: ${state}${why === '' ? '' : `: ${why}`}${next}`
        })
        .join('\n')

function seconds(text: string): number {
  const value = Number(text)
  if (!(value >= 1 && value <= 86_400)) throw new InvalidArgumentError('seconds from 1 to 86400 are needed.')
  return value
}

function count(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('a number is needed.')
  return value
}
