import { type Command, Option } from 'commander'
import type { z } from 'zod'
import type { RunRequest } from '../domain/runs/run-request.ts'
import { RunSummary } from '../server/schemas/plans.ts'
import { duration } from './arguments.ts'
import type { Cli } from './cli.ts'
import { followRun, runLine, wentWell } from './follow.ts'
import { repositoryName, repositoryPath, withRepository } from './repository.ts'

/** The options of every command that orders a run of what is deployed. */
export interface RequestOptions {
  reason: string
  wait?: number
}

export const withRequest = (command: Command): Command =>
  withRepository(command)
    .requiredOption('--reason <text>', 'why; it stands in the audit')
    .addOption(new Option('--wait [duration]', 'follow the run to its end').preset('15m').argParser(duration))

/** Orders the run, and follows it where that is wanted. */
export async function orderRequest(
  cli: Cli,
  command: Command,
  order: { stack: string; request: z.input<typeof RunRequest>; options: RequestOptions },
): Promise<void> {
  const { stack, request, options } = order
  const client = cli.client(command)
  const output = cli.output(command)
  const url = `${repositoryPath(await repositoryName(cli, command))}/stack/requests`
  const run = await client.send('POST', url, RunSummary, { stack, request, reason: options.reason })
  if (options.wait === undefined) {
    output.result(run, ({ wrap }) =>
      wrap(`${run.id}: it is planned; where the environment wants that, it then waits until somebody else approves it`),
    )
    return
  }
  const ended = await followRun({ client, output, signal: cli.signal, timeoutMs: options.wait }, run.id)
  output.result(ended, ({ wrap }) => wrap(`${ended.id}  ${runLine(ended)}`))
  if (!wentWell(ended)) cli.exitWith(1)
}
