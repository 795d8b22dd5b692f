import type { Command } from 'commander'
import { formatDuration } from '../../domain/duration.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import { Environment, Freeze } from '../../server/schemas/environments.ts'
import { endOf, type EndOptions, withEnd } from '../arguments.ts'
import type { CommandModule } from '../cli.ts'
import { collect, fields, when } from '../output.ts'
import { repositoryName, repositoryPath, withRepository } from '../repository.ts'

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
      const chosen = chooseFreezes(name, freezes, options)
      const lifted: Freeze[] = []
      for (const id of chosen)
        lifted.push(await client.send('DELETE', `${url}/freezes/${encodeURIComponent(id)}`, Freeze))
      cli.output(command).result(lifted, () => lifted.map((freeze) => `Lifted: ${freeze.reason}`).join('\n'))
    })
}

function chooseFreezes(name: string, freezes: Freeze[], options: { freeze?: string; all: boolean }): string[] {
  if (options.freeze !== undefined) return [options.freeze]
  if (freezes.length > 0 && (options.all || freezes.length === 1)) return freezes.map(({ id }) => id)
  const doing = `lifting the freeze of ${name}`
  if (freezes.length === 0) throw new TrueupError('CONFLICT', { doing, why: 'it is not frozen' })
  throw new TrueupError('INVALID_REQUEST', {
    doing,
    why: `there are ${freezes.length}: ${freezes.map(({ id, reason }) => `${id} (${reason})`).join(', ')}`,
    next: 'Name one with --freeze, or lift them with --all.',
  })
}

const freezeText = ({ until, reason }: Freeze): string =>
  `frozen ${until === null ? 'until it is unfrozen' : `until ${when(until)}`}: ${reason}`

function windowText({ open, reason, nextChangeAt }: Environment['deployments']): string {
  const until = nextChangeAt === null ? '' : `, until ${when(nextChangeAt)}`
  return open ? `open${until}` : `closed${until}: ${reason}`
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
    ['unplannable parts', row.unplannable === 'allow' ? 'are deployed unseen' : 'block the approval'],
    ['drift', `${drift.mode}, every ${formatDuration(drift.intervalMs)}${destroys}`],
    ['workers', row.workers],
    ...row.windows.map(({ allow, deny, timezone = 'UTC' }): [string, string] =>
      allow === undefined ? ['never', `${deny} (${timezone})`] : ['only', `${allow} (${timezone})`],
    ),
    ...row.freezes.map((freeze): [string, string] => ['freeze', `${freezeText(freeze)} (${freeze.by}, ${freeze.id})`]),
    ['deployments', windowText(row.deployments)],
  ])
}
