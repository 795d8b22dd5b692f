import { execFileSync } from 'node:child_process'
import type { Command } from 'commander'
import { TrueupError } from '../lib/errors/error.ts'
import { Repository } from '../server/schemas/repositories.ts'
import type { Cli } from './cli.ts'
import { collect } from './output.ts'

/** Adds the option that every command about one repository has. */
export const withRepository = (command: Command): Command =>
  command.option('--repo <name>', 'repository (default: TRUEUP_REPO, the git remote here, or the only one there is)')

/**
 * The repository that a command means: the option, TRUEUP_REPO, the Trueup remote of the Git repository here, or the only
 * one that the person may see. INVALID_REQUEST where that leaves a choice.
 */
export async function repositoryName(cli: Cli, command: Command): Promise<string> {
  const named = command.opts<{ repo?: string }>().repo ?? cli.env['TRUEUP_REPO']
  if (named) return named
  const client = cli.client(command)
  const fromRemote = repositoryOfRemotes(cli.cwd, client.connection.url)
  if (fromRemote !== null) return fromRemote
  const all = await collect(client.all('/api/v1/repositories', Repository))
  if (all.length === 1) return all[0]!.name
  throw new TrueupError('INVALID_REQUEST', {
    doing: 'finding out which repository is meant',
    why:
      all.length === 0
        ? 'there is none that you may see'
        : `there are ${all.length}: ${all.map((row) => row.name).join(', ')}`,
    next: all.length === 0 ? 'Make one: trueup repo create NAME' : 'Name it with --repo, or set TRUEUP_REPO.',
  })
}

/** `…/git/NAME.git` of a remote that points at this server, `origin` first. */
function repositoryOfRemotes(cwd: string, serverUrl: string): string | null {
  let remotes: string
  try {
    remotes = execFileSync('git', ['remote', '-v'], { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  } catch {
    return null
  }
  const lines = remotes.split('\n').sort((line) => (line.startsWith('origin\t') ? -1 : 1))
  for (const line of lines) {
    const match = /\t(\S+?)\/git\/([^/\s]+?)(?:\.git)?\s/.exec(line)
    // Credentials may stand in the remote's address; the place is what counts.
    if (match && match[1]!.replace(/\/\/[^@/]*@/, '//') === serverUrl) return match[2]!
  }
  return null
}

export const repositoryPath = (name: string): string => `/api/v1/repositories/${encodeURIComponent(name)}`

/** The list of merge requests of the repository that a command means, or one of them. */
export async function mrPath(cli: Cli, command: Command, number?: number): Promise<string> {
  const list = `${repositoryPath(await repositoryName(cli, command))}/merge-requests`
  return number === undefined ? list : `${list}/${number}`
}
