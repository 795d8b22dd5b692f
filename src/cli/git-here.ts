import { execFileSync } from 'node:child_process'
import { TrueupError } from '../lib/errors/error.ts'
import type { Cli } from './cli.ts'

/** What git says in the directory that the command stands in. INVALID_REQUEST with git's own words where it refuses. */
export function gitHere(cli: Pick<Cli, 'cwd'>, argv: readonly string[], doing: string, next?: string): string {
  try {
    return execFileSync('git', argv, { cwd: cli.cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim()
  } catch (error) {
    const { stderr = '' } = error as { stderr?: string }
    const said = stderr.trim()
    const why = /not a git repository/.test(said)
      ? `${cli.cwd} is no Git repository`
      : said.replace(/^(fatal|error): /, '') || String(error)
    throw new TrueupError('INVALID_REQUEST', {
      doing,
      why,
      next: next ?? 'Stand in a clone of the repository.',
      cause: error,
    })
  }
}
