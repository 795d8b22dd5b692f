import type { Command } from 'commander'
import { TrueupError } from '../lib/errors/error.ts'
import { MrSummary } from '../server/schemas/merge-requests.ts'
import type { Cli } from './cli.ts'
import { gitHere } from './git-here.ts'
import { collect } from './output.ts'
import { mrPath } from './repository.ts'
import { waitFor } from './wait.ts'

/** How long a merge request may take to be there after the push that opens it. */
export const OPENING_MS = 5_000

/** The words about a number that may be left out. */
export const HERE = 'default: the open one of the branch checked out here'

/** The number that was given, or that of the open merge request of the branch that is checked out here. */
export async function numberOrHere(cli: Cli, command: Command, given: number | undefined, forMs = 0): Promise<number> {
  if (given !== undefined) return given
  const branch = gitHere(
    cli,
    ['rev-parse', '--abbrev-ref', 'HEAD'],
    'finding out which merge request is meant',
    'Give its number.',
  )
  const client = cli.client(command)
  const path = await mrPath(cli, command)
  const doing = `looking for the open merge request of branch ${branch}`
  const until = Date.now() + forMs
  const found = await waitFor(
    async () =>
      (await collect(client.all(path, MrSummary, { state: 'open' }))).find((mr) => mr.sourceBranch === branch),
    (mr) => mr !== undefined || Date.now() > until,
    { doing, timeoutMs: 2 * OPENING_MS, signal: cli.signal },
  )
  if (found) return found.number
  throw new TrueupError('NOT_FOUND', { doing, why: 'there is none', next: '`trueup mr list --state all` shows all.' })
}
