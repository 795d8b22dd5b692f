import { type Command, Option } from 'commander'
import { formatDuration } from '../../domain/duration.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import { Environment, Freeze, Notice } from '../../server/schemas/environments.ts'
import { endOf, type EndOptions, withEnd } from '../arguments.ts'
import type { CommandModule } from '../cli.ts'
import { noticeLine } from '../notice-text.ts'
import { collect, fields } from '../output.ts'
import { repositoryName, repositoryPath, withRepository } from '../repository.ts'
import { when } from '../times.ts'

/** `trueup env`: the rules of environments, and stopping deployments to them. */
export const environmentCommands: CommandModule = (program, cli) => {
  const env = program.command('env').description('environments: their rules, and stopping deployments to them')
  const list = async (command: Command): Promise<string> =>
    `${repositoryPath(await repositoryName(cli, command))}/environments`
  const one = async (command: Command, name: string): Promise<string> =>
    `${await list(command)}/${encodeURIComponent(name)}`

  withRepository(env.command('list').description('environments, and whether deployments to them are open')).action(
    async (_options, command) => {
      const all = await collect(cli.client(command).all(await list(command), Environment))
      cli.output(command).result(all, ({ table }) =>
        table(
          ['environment', 'tier', 'approvals', 'drift', 'workers', 'deployments'],
          all.map((row) => [
            row.name,
            row.tier,
            String(row.approvals.required),
            row.drift.mode,
            row.workers,
            windowText(row.deployments),
          ]),
        ),
      )
    },
  )

  withRepository(env.command('show').description('one environment: rules, windows and freezes'))
    .argument('<environment>')
    .action(async (name: string, _options, command) => {
      const row = await cli.client(command).get(await one(command, name), Environment)
      cli.output(command).result(row, () => describe(row))
    })

  withEnd(
    withRepository(env.command('freeze').description('stop deployments and heals; plans and drift checks go on')),
    'frozen',
  )
    .argument('<environment>')
    .requiredOption('--reason <text>', 'why; people see it where something waits')
    .addHelpText(
      'after',
      '\nExample:\n  $ trueup env freeze production --reason "end of year" --until 2027-01-03T08:00Z',
    )
    .action(async (name: string, options: EndOptions & { reason: string }, command) => {
      const body = { reason: options.reason, until: endOf(options) }
      const freeze = await cli.client(command).send('POST', `${await one(command, name)}/freezes`, Freeze, body)
      cli.output(command).result(freeze, () => `${name} is ${freezeText(freeze)}`)
    })

  withRepository(env.command('unfreeze').description('lift a freeze; what it held back goes on at once'))
    .argument('<environment>')
    .option('--freeze <id>', 'which, where there are several')
    .option('--all', 'all of them', false)
    .action(async (name: string, options: { freeze?: string; all: boolean }, command) => {
      const client = cli.client(command)
      const url = await one(command, name)
      const { freezes } = await client.get(url, Environment)
      const chosen = chosenOf(freezes, { named: options.freeze, all: options.all }, FREEZES(name))
      const lifted: Freeze[] = []
      for (const id of chosen)
        lifted.push(await client.send('DELETE', `${url}/freezes/${encodeURIComponent(id)}`, Freeze))
      cli.output(command).result(lifted, () => lifted.map((freeze) => `Lifted: ${freeze.reason}`).join('\n'))
    })

  withEnd(
    withRepository(env.command('notice').description('say something of it to everybody who looks; stops nothing')),
    'it stands',
  )
    .argument('<environment>')
    .argument('<text>')
    .addOption(new Option('--kind <kind>').choices(Notice.shape.kind.options).default('info'))
    .addHelpText('after', '\nExample:\n  $ trueup env notice production "checkout is slow" --kind incident --for 4h')
    .action(async (name: string, text: string, options: EndOptions & { kind: string }, command) => {
      const body = { text, kind: options.kind, until: endOf(options) }
      const notice = await cli.client(command).send('POST', `${await one(command, name)}/notices`, Notice, body)
      cli.output(command).result(notice, () => `${name}: ${noticeLine(notice)}`)
    })

  withRepository(env.command('withdraw').description('withdraw a notice'))
    .argument('<environment>')
    .option('--notice <id>', 'which, where there are several')
    .option('--all', 'all of them', false)
    .action(async (name: string, options: { notice?: string; all: boolean }, command) => {
      const client = cli.client(command)
      const url = await one(command, name)
      const { notices } = await client.get(url, Environment)
      const chosen = chosenOf(notices, { named: options.notice, all: options.all }, NOTICES(name))
      const done: Notice[] = []
      for (const id of chosen)
        done.push(await client.send('DELETE', `${url}/notices/${encodeURIComponent(id)}`, Notice))
      cli.output(command).result(done, () => done.map((notice) => `Withdrawn: ${notice.text}`).join('\n'))
    })
}

const FREEZES = (name: string) => ({
  doing: `lifting the freeze of ${name}`,
  none: 'it is not frozen',
  next: 'Name one with --freeze, or lift them with --all.',
})
const NOTICES = (name: string) => ({
  doing: `withdrawing the notice of ${name}`,
  none: 'it has none',
  next: 'Name one with --notice, or withdraw them with --all.',
})

/** The named one, or all, or the only one that stands; errors where that leaves a choice. */
function chosenOf(
  standing: readonly ({ id: string } & ({ reason: string } | { text: string }))[],
  { named, all }: { named: string | undefined; all: boolean },
  { doing, none, next }: ReturnType<typeof FREEZES>,
): string[] {
  if (named !== undefined) return [named]
  if (standing.length > 0 && (all || standing.length === 1)) return standing.map(({ id }) => id)
  if (standing.length === 0) throw new TrueupError('CONFLICT', { doing, why: none })
  const list = standing.map((each) => `${each.id} (${'reason' in each ? each.reason : each.text})`)
  throw new TrueupError('INVALID_REQUEST', { doing, why: `there are ${standing.length}: ${list.join(', ')}`, next })
}

const freezeText = ({ until, reason }: Freeze): string =>
  `frozen ${until === null ? 'until it is unfrozen' : `until ${when(until)}`}: ${reason}`

function windowText({ open, reason, nextChangeAt }: Environment['deployments']): string {
  const until = nextChangeAt === null ? '' : `, until ${when(nextChangeAt)}`
  return open ? `open${until}` : `closed${until}: ${reason}`
}

const TRUSTED = {
  contributors: 'changes of anyone who may push',
  maintainers: 'changes of maintainers; others once they are approved',
  approved: 'only what somebody else has approved',
}

function describe(row: Environment): string {
  const { approvals, drift } = row
  const from = approvals.from.length === 0 ? '' : ` from ${approvals.from.join(', ')}`
  const rollback = { none: 'none', one: 'one', same: 'the same' }[approvals.rollback]
  const destroys = drift.maxDestroys === null ? '' : `, at most ${drift.maxDestroys} deletions by a heal`
  return fields([
    ['environment', row.name],
    ['tier', `${row.tier}${row.protected ? ' (nothing unapproved is applied)' : ''}`],
    ['approvals', `${approvals.required}${from}${approvals.codeOwners ? ', and code owners' : ''}`],
    ['for a rollback', rollback],
    ['on failure', row.onFailure],
    ['planned at once', TRUSTED[row.trust]],
    ['unplannable parts', row.unplannable === 'allow' ? 'are deployed unseen' : 'block the approval'],
    ['drift', `${drift.mode}, every ${formatDuration(drift.intervalMs)}${destroys}`],
    ['workers', row.workers],
    ...row.windows.map(({ allow, deny, timezone = 'UTC' }): [string, string] =>
      allow === undefined ? ['never', `${deny} (${timezone})`] : ['only', `${allow} (${timezone})`],
    ),
    ...row.freezes.map((freeze): [string, string] => ['freeze', `${freezeText(freeze)} (${freeze.by}, ${freeze.id})`]),
    ...row.notices.map((notice): [string, string] => ['notice', `${noticeLine(notice)} ${notice.id}`]),
    ['deployments', windowText(row.deployments)],
  ])
}
