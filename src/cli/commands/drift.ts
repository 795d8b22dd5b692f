import { type Command, Option } from 'commander'
import { DRIFT_STATES, DriftRecord } from '../../server/schemas/drift.ts'
import { StackDetail } from '../../server/schemas/stacks.ts'
import { duration, endOf, type EndOptions, withEnd } from '../arguments.ts'
import type { Cli, CommandModule } from '../cli.ts'
import { driftFound, orderForStacks, type StackOrders } from '../drift-orders.ts'
import { driftTable } from '../drift-text.ts'
import { followRun, runLine, wentWell } from '../follow.ts'
import { collect, type Layout } from '../output.ts'
import { repositoryName, repositoryPath, withRepository } from '../repository.ts'
import { waitFor } from '../wait.ts'
import { watched, withWatch } from '../watch.ts'
import { when } from '../times.ts'

interface OrderOptions {
  environment?: string
  wait?: number
}

const withWait = (command: Command): Command =>
  withRepository(command).addOption(
    new Option('--wait [duration]', 'follow the runs to their end').preset('15m').argParser(duration),
  )
const withStacks = (command: Command): Command =>
  withWait(command)
    .argument('[stacks...]', 'ENVIRONMENT/NAME')
    .option('--environment <name>', 'every deployed stack of an environment')

/** Drift: what has left the deployed revision, and what to do about it. */
export const driftCommands: CommandModule = (program, cli) => {
  const drift = program.command('drift').description('what has left the deployed revision, and what to do about it')
  const pathOf = async (command: Command) => repositoryPath(await repositoryName(cli, command))

  withWatch(withRepository(drift.command('list').description('drift by attribute, newest first')))
    .option('--stack <stack>', 'ENVIRONMENT/NAME')
    .option('--environment <name>')
    .addOption(
      new Option('--state <state>', 'accepted and closed ones too').choices([...DRIFT_STATES, 'all']).default('open'),
    )
    .action(
      watched(cli, async (options: { stack?: string; environment?: string; state: string }, command) => {
        const { stack, environment, state } = options
        const url = `${await pathOf(command)}/drift`
        const records = await collect(cli.client(command).all(url, DriftRecord, { stack, environment, state }))
        cli.output(command).result(records, (layout) => driftTable(records, layout))
      }),
    )

  withStacks(drift.command('check').description('look for drift now'))
    .addHelpText(
      'after',
      `
Exit codes with --wait: 0 none was found; 1 a check did not succeed; 2 there is drift.

Examples:
  $ trueup drift check production/web --wait
  $ trueup drift check --environment production --wait`,
    )
    .action(async (stacks: string[], options: OrderOptions, command) => {
      const path = await pathOf(command)
      const orders = await order(cli, command, { path, what: 'checks', stacks, options })
      if (options.wait === undefined) return
      const records = await driftFound(cli.client(command), path, orders.runs)
      cli
        .output(command)
        .result({ ...orders, drift: records }, (layout) =>
          [ordersText(orders, layout), driftTable(records, layout) || 'No drift.'].join('\n\n'),
        )
      cli.exitWith(badly(orders) ? 1 : records.length > 0 ? 2 : 0)
    })

  withStacks(drift.command('heal').description('overwrite drift with what Git says, now'))
    .addHelpText('after', '\nExit code with --wait: 1 when a heal did not succeed.')
    .action(async (stacks: string[], options: OrderOptions, command) => {
      const path = await pathOf(command)
      const orders = await order(cli, command, { path, what: 'heals', stacks, options })
      if (options.wait === undefined) return
      cli.output(command).result(orders, (layout) => ordersText(orders, layout))
      if (badly(orders)) cli.exitWith(1)
    })

  withWait(drift.command('codify').description('open a merge request that writes the drift of a stack into Git'))
    .argument('<stack>', 'ENVIRONMENT/NAME')
    .action(async (stack: string, options: OrderOptions, command) => {
      const client = cli.client(command)
      const output = cli.output(command)
      const path = await pathOf(command)
      const { runs } = await orderForStacks(client, { path, what: 'codifications', stacks: [stack] })
      const [run] = runs
      if (!run || options.wait === undefined) {
        output.result({ run }, () => `${run?.id}: a merge request follows where it finds drift`)
        return
      }
      const following = { client, output, signal: cli.signal, timeoutMs: options.wait }
      const ended = await followRun(following, run.id)
      const drifted = ended.state === 'succeeded' && (ended.plan?.changes.length ?? 0) > 0
      const proposal = drifted ? await proposalOf() : undefined
      output.result({ run: ended, mr: proposal?.mr ?? null }, ({ wrap }) =>
        proposal ? `!${proposal.mr} ${proposal.title}` : drifted ? wrap(runLine(ended)) : 'No drift.',
      )
      if (!wentWell(ended)) cli.exitWith(1)

      /** The merge request is made right after the run has ended. */
      async function proposalOf(): Promise<StackDetail['proposals'][number] | undefined> {
        const codified = (detail: StackDetail) => detail.proposals.find(({ origin }) => origin === 'codify')
        const detail = await waitFor(
          () => client.get(`${path}/stack`, StackDetail, { stack }),
          (answer) => codified(answer) !== undefined,
          { doing: `waiting for the merge request of ${stack}`, timeoutMs: 30_000, signal: cli.signal },
        )
        return codified(detail)
      }
    })

  withEnd(
    withRepository(drift.command('accept').description('let one attribute be as it is, for a reason and a time')),
    'accept it',
  )
    .argument('<record>', 'as `trueup drift list` names it')
    .requiredOption('--reason <text>', 'why; it stands in the audit')
    .addHelpText('after', '\nExample:\n  $ trueup drift accept drift_… --reason "load test" --for 2d')
    .action(async (record: string, options: EndOptions & { reason: string }, command) => {
      const url = `${await pathOf(command)}/drift/${encodeURIComponent(record)}/accept`
      const body = { reason: options.reason, until: endOf(options) }
      const accepted = await cli.client(command).send('POST', url, DriftRecord, body)
      const until = accepted.accepted?.until ?? null
      const end = until === null ? 'until its value changes' : `until ${when(until)}, or its value changes`
      cli.output(command).result(accepted, () => `Accepted ${accepted.address} of ${accepted.stack} ${end}`)
    })
}

/** Orders runs and, with `--wait`, follows them; without, says which they are. */
async function order(
  cli: Cli,
  command: Command,
  wish: { path: string; what: 'checks' | 'heals'; stacks: string[]; options: OrderOptions },
): Promise<StackOrders> {
  const { path, what, stacks, options } = wish
  if ((stacks.length === 0) === (options.environment === undefined))
    command.error('error: name stacks, or an environment with --environment')
  const client = cli.client(command)
  const output = cli.output(command)
  const { environment, wait: timeoutMs } = options
  const orders = await orderForStacks(client, { path, what, stacks, ...(environment !== undefined && { environment }) })
  if (timeoutMs === undefined) {
    output.result(orders, (layout) => ordersText(orders, layout))
    if (orders.runs.length === 0 && orders.skipped.length > 0) cli.exitWith(1)
    return orders
  }
  const until = Date.now() + timeoutMs
  const runs = []
  for (const { id } of orders.runs)
    runs.push(await followRun({ client, output, signal: cli.signal, timeoutMs: until - Date.now() }, id))
  return { ...orders, runs }
}

const badly = ({ runs, skipped }: StackOrders): boolean =>
  !runs.every(wentWell) || (runs.length === 0 && skipped.length > 0)

const ordersText = ({ runs, skipped }: StackOrders, { wrap }: Layout): string =>
  [
    ...runs.map((run) => wrap(`${run.id}  ${runLine(run)}`)),
    ...skipped.map(({ stack, why }) => wrap(`${stack}: left out, ${why}`)),
  ].join('\n')
