import { type Command, Option } from 'commander'
import { Done } from '../../server/schemas/common.ts'
import { MrDetail } from '../../server/schemas/merge-requests.ts'
import type { RunSummary } from '../../server/schemas/plans.ts'
import { approvalText, assertLooked, type Looked } from '../approval.ts'
import { duration, mrNumber } from '../arguments.ts'
import type { Cli } from '../cli.ts'
import { followDeployments, howToApprove, runLine, wentWell } from '../follow.ts'
import { HERE, numberOrHere } from '../mr-here.ts'
import { gateText } from '../mr-text.ts'
import { mrPath, withRepository } from '../repository.ts'

/** Saying yes or no to a merge request, and merging it, as commands below `mr`. */
export function addReviewCommands(mr: Command, cli: Cli): void {
  withRepository(mr.command('approve').description('approve exactly the plans that it shows'))
    .argument('[number]', HERE, mrNumber)
    .option('--comment <text>', '', '')
    .option('--head <commit>', 'approve only this head')
    .option('--digest <digest>', 'approve only these plans; once for each', (text, all: string[]) => [...all, text], [])
    .addHelpText(
      'after',
      '\nWithout --head and --digest it approves what is there now, and shows what that is.\n\nExample:\n  $ trueup mr approve 7 --head 3f2a90c1 --digest 9b1c22d07e41',
    )
    .action(async (given: number | undefined, options: Looked & { comment: string }, command) => {
      const number = await numberOrHere(cli, command, given)
      const client = cli.client(command)
      const output = cli.output(command)
      const url = await mrPath(cli, command, number)
      const seen = await client.get(url, MrDetail)
      assertLooked(seen, options)
      const { head, digests, files } = seen
      const body = { verdict: 'approve', body: options.comment, head, digests, files }
      const after = await client.send('POST', `${url}/reviews`, MrDetail, body)
      output.result(after, (layout) =>
        [`Approved !${number}`, approvalText(seen, layout), gateText(after, layout)].join('\n\n'),
      )
    })

  withRepository(mr.command('lift').description('let a person vote whom its commits only name'))
    .argument('<number>', '', mrNumber)
    .argument('<user>', 'whose name stands in commits that somebody else has pushed')
    .argument('<reason>')
    .addHelpText(
      'after',
      '\nAnybody can write any name into a commit. It holds for the commits that are there now, and is recorded.\n\nExample:\n  $ trueup mr lift 7 bob "bob did not write that commit"',
    )
    .action(async (number: number, user: string, reason: string, _options, command) => {
      const url = `${await mrPath(cli, command, number)}/lifts`
      const after = await cli.client(command).send('POST', url, MrDetail, { user, reason })
      cli.output(command).result(after, () => `${user} may vote on !${number}`)
    })

  withRepository(mr.command('request-changes').description('say that it must not be merged as it is'))
    .argument('<number>', '', mrNumber)
    .argument('<comment>')
    .action(async (number: number, comment: string, _options, command) => {
      const body = { verdict: 'request_changes', body: comment }
      const after = await cli
        .client(command)
        .send('POST', `${await mrPath(cli, command, number)}/reviews`, MrDetail, body)
      cli.output(command).result(after, () => `Asked for changes of !${number}`)
    })

  withRepository(mr.command('withdraw').description('take your approval or request for changes back'))
    .argument('[number]', HERE, mrNumber)
    .action(async (given: number | undefined, _options, command) => {
      const number = await numberOrHere(cli, command, given)
      const done = await cli.client(command).send('DELETE', `${await mrPath(cli, command, number)}/reviews/mine`, Done)
      cli.output(command).result(done, () => `Withdrawn from !${number}`)
    })

  withRepository(mr.command('merge').description('merge; what was approved is then enacted'))
    .argument('[number]', HERE, mrNumber)
    .option('--squash', 'one commit on the target branch', false)
    .option('--bypass <reason>', 'merge although the gate says no: recorded, and shown in red')
    .addOption(new Option('--wait [duration]', 'follow the deployments to their end').preset('30m').argParser(duration))
    .addHelpText(
      'after',
      '\nExit code with --wait: 1 when a deployment did not succeed, or stands still until a person approves it.',
    )
    .action(
      async (given: number | undefined, options: { squash: boolean; bypass?: string; wait?: number }, command) => {
        const number = await numberOrHere(cli, command, given)
        const client = cli.client(command)
        const output = cli.output(command)
        const path = await mrPath(cli, command, number)
        const url = `${path}/merge${options.bypass === undefined ? '' : '?bypass=1'}`
        const body = { squash: options.squash, ...(options.bypass !== undefined && { bypassReason: options.bypass }) }
        const merged = await client.send('POST', url, MrDetail, body)
        const said = `Merged !${number} as ${merged.mergeCommit?.slice(0, 10)} (${merged.mergeSequence})`
        if (options.wait === undefined) {
          output.result(merged, () => said)
          if (!output.json) output.note(`Deployments: trueup run list --mr ${number}`)
          return
        }
        if (!output.json) output.note(said)
        const following = { client, output, signal: cli.signal, timeoutMs: options.wait }
        reportDeployments(cli, command, merged, await followDeployments(following, path))
      },
    )
}

/** What a merge led to, on stdout; exit code 1 when not everything is deployed. */
export function reportDeployments(cli: Cli, command: Command, mr: MrDetail, runs: RunSummary[]): void {
  cli.output(command).result({ mr, runs }, ({ wrap }) =>
    runs.length === 0
      ? `!${mr.number} deploys nothing`
      : runs
          .flatMap((run) => [wrap(runLine(run)), wrap(howToApprove(run) ?? '', '  ')])
          .filter((line) => line !== '')
          .join('\n'),
  )
  if (!runs.every(wentWell)) cli.exitWith(1)
}
