import { type Command, Option } from 'commander'
import { Overview } from '../../server/schemas/environments.ts'
import { Deployment, Stack, StackDetail, StackState } from '../../server/schemas/stacks.ts'
import { summaryText } from '../../domain/plans/summary.ts'
import { coverageLines } from '../../domain/render/plan-lines.ts'
import { mrNumber } from '../arguments.ts'
import type { CommandModule } from '../cli.ts'
import { driftTable } from '../drift-text.ts'
import { noticeLine } from '../notice-text.ts'
import { quarantineLine } from '../quarantine-text.ts'
import { collect, fields, type Layout } from '../output.ts'
import { repositoryName, repositoryPath, withRepository } from '../repository.ts'
import { addDecisionCommands } from './stack-decisions.ts'
import { addPartCommands } from './stack-parts.ts'
import { goes, id, state } from '../table.ts'
import { watched, withWatch } from '../watch.ts'

const short = (oid: string | null): string => oid?.slice(0, 10) ?? '-'

interface ListOptions {
  environment?: string
  state?: string
  search?: string
  driver?: string
  owner?: string
  label?: string
  tool?: string
}

const withFilters = (command: Command): Command =>
  withRepository(command)
    .option('--environment <name>')
    .addOption(new Option('--state <state>').choices([...StackState.options]))
    .option('--search <words>', 'each part of the name, path, an owner, a label or a tool')
    .option('--driver <name>')
    .option('--owner <owner>', 'as CODEOWNERS has it: @ada, @team/payments')
    .option('--label <name=value>')
    .option('--tool <tool>', 'of the last look, with or without its version: tofu, tofu@1.12.6')

const queryOf = ({ search, environment, state, driver, owner, label, tool }: ListOptions) => {
  const query = { environment, state, driver, owner, label, tool }
  return { ...query, q: search }
}

/** `stack`, `status` and `deployments`: what is there, and what was done. */
export const stackCommands: CommandModule = (program, cli) => {
  const stack = program.command('stack').description('stacks: a directory, a driver, an environment')

  const list = async (options: ListOptions, command: Command): Promise<void> => {
    const repository = repositoryPath(await repositoryName(cli, command))
    const client = cli.client(command)
    const stacks = await collect(client.all(`${repository}/stacks`, Stack, queryOf(options)))
    cli.output(command).result(stacks, (layout) => stackTable(stacks, layout))
  }
  withWatch(withFilters(stack.command('list').description('stacks with their states'))).action(watched(cli, list))

  withWatch(
    withFilters(program.command('status').description('how the environments are, and every stack with its state')),
  ).action(
    watched(cli, async (options: ListOptions, command) => {
      const repository = repositoryPath(await repositoryName(cli, command))
      const client = cli.client(command)
      const output = cli.output(command)
      const look = async () => ({
        overview: await client.get(`${repository}/overview`, Overview),
        stacks: await collect(client.all(`${repository}/stacks`, Stack, queryOf(options))),
      })
      const seen = await look()
      output.result(seen.stacks, (layout) => statusText(seen, layout))
    }),
  )

  withWatch(withRepository(stack.command('show').description('one stack: desired, deployed, observed, outputs')))
    .argument('<stack>', 'ENVIRONMENT/NAME')
    .action(
      watched(cli, async (key: string, _options, command) => {
        const url = `${repositoryPath(await repositoryName(cli, command))}/stack`
        const row = await cli.client(command).get(url, StackDetail, { stack: key })
        cli.output(command).result(row, (layout) => describe(row, layout))
      }),
    )

  withWatch(withRepository(program.command('deployments').description('what was enacted, newest first')))
    .option('--stack <stack>', 'ENVIRONMENT/NAME')
    .option('--mr <number>', 'only those of this merge request', mrNumber)
    .action(
      watched(cli, async (options: { stack?: string; mr?: number }, command) => {
        const url = `${repositoryPath(await repositoryName(cli, command))}/deployments`
        const all = await collect(cli.client(command).all(url, Deployment, { stack: options.stack, mr: options.mr }))
        cli.output(command).result(all, (layout) => deploymentTable(all, layout))
      }),
    )

  addDecisionCommands(stack, cli)
  addPartCommands(stack, cli)
}

function describe(row: StackDetail, layout: Layout): string {
  const { when } = layout
  const { checked, uncheckedCount } = row.observed
  const parts = [
    fields([
      ['stack', `${row.environment}/${row.name}`],
      ['driver', row.driver],
      ['path', row.path],
      ...(row.facets.length > 0 ? [['owners, labels', row.facets.join(' ')] as [string, string]] : []),
      ...(row.tools.length > 0 ? [['tools', row.tools.join(' ')] as [string, string]] : []),
      ['state', `${row.state}${row.stateReason ? `: ${row.stateReason}` : ''}`],
      ['desired', short(row.desired.commit)],
      ['deployed', row.deployed.commit === null ? '-' : `${short(row.deployed.commit)}, ${when(row.deployed.at)}`],
      [
        'observed',
        `${when(row.observed.at)}${checked === null ? '' : `, ${checked} checked`}${uncheckedCount ? `, ${uncheckedCount} not` : ''}`,
      ],
      ['drift', `${row.drift.mode}, ${row.drift.open} open, next check ${when(row.drift.nextCheckAt)}`],
      ['needs', row.needs.join(', ') || '-'],
    ]),
  ]
  const outputs = Object.entries(row.outputs)
  if (outputs.length > 0) {
    parts.push(
      layout.table(
        ['output', 'value'],
        outputs.map(([name, { value, sensitive }]) => [name, sensitive ? '(sensitive)' : JSON.stringify(value)]),
      ),
    )
  }
  if (row.observed.unchecked.length > 0) {
    const lines = coverageLines({ checked: checked ?? 0, unchecked: row.observed.unchecked }).slice(1)
    parts.push(['Not checked', ...lines.map(({ text }) => layout.wrap(text))].join('\n'))
  }
  if (row.recentDrift.length > 0) parts.push(`Recent drift\n${driftTable(row.recentDrift, layout)}`)
  if (row.recentDeployments.length > 0)
    parts.push(`Recent deployments\n${deploymentTable(row.recentDeployments, layout)}`)
  for (const { mr, title } of row.proposals) parts.push(`Open: !${mr} ${title}`)
  for (const entry of row.quarantine) parts.push(layout.wrap(quarantineLine(entry)))
  return parts.join('\n\n')
}

const stackTable = (rows: readonly Stack[], { table, when }: Layout): string =>
  table(
    ['stack', goes('driver'), state('state'), goes('deployed'), 'observed', 'why'],
    rows.map((row) => [
      `${row.environment}/${row.name}`,
      row.driver,
      row.state,
      short(row.deployed.commit),
      when(row.observed.at),
      row.stateReason ?? '',
    ]),
  )

const deploymentTable = (rows: readonly Deployment[], { table, when }: Layout): string =>
  table(
    [id('deployment'), 'stack', 'kind', state('state'), goes('commit'), 'mr', goes('by'), 'finished', 'changes'],
    rows.map((row) => [
      row.id,
      row.stack,
      row.kind,
      row.state,
      short(row.commit),
      row.mr === null ? '-' : `!${row.mr}`,
      row.actor ?? '-',
      when(row.finishedAt),
      summaryText({ summary: row.summary }),
    ]),
  )

/** A line for each environment, then every stack. */
function statusText({ overview, stacks }: { overview: Overview; stacks: Stack[] }, layout: Layout): string {
  const { wrap } = layout
  const environments = overview.environments.flatMap(({ name, states, deployments, notices }) => {
    const counts = states.map(({ state: word, count }) => `${count} ${word.replaceAll('_', ' ')}`).join(', ')
    const held = deployments === null || deployments.open ? '' : ` — deployments are held back: ${deployments.reason}`
    const said = notices.map((notice) => wrap(noticeLine(notice), '  '))
    return [wrap(`${name}: ${counts || 'no stacks'}${held}`), ...said]
  })
  if (overview.environments.length === 0)
    return 'No environments yet: the default branch has no trueup.yaml (`trueup init` writes one).'
  return [environments.join('\n'), stackTable(stacks, layout)].filter((part) => part !== '').join('\n\n')
}
