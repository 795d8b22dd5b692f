import { TrueupError } from '../lib/errors/error.ts'
import { tellsOfNoRoom } from '../lib/errors/no-room.ts'
import type { GitChild } from './child-process.ts'
import type { GitRunOptions, GitRunResult } from './repository.ts'

/** Runs git in one repository. */
export interface GitCommand {
  /** Any exit code is a result. */
  run(argv: readonly string[], options?: GitRunOptions): Promise<GitRunResult>
  /** Exit codes other than the named ones (default 0) are GIT_FAILED with what git said, NO_ROOM on a full disk. */
  expect(
    doing: string,
    argv: readonly string[],
    options?: GitRunOptions & { exitCodes?: number[] },
  ): Promise<GitRunResult>
}

export function createGitCommand(child: GitChild, repository: string): GitCommand {
  const command: GitCommand = {
    run(argv, { signal, readOnly, ...rest } = {}) {
      return child.call('run', { argv, options: { repository, ...rest } }, { signal, repeat: readOnly })
    },
    async expect(doing, argv, { exitCodes = [0], ...options } = {}) {
      const result = await command.run(argv, options)
      if (exitCodes.includes(result.exitCode)) return result
      const failed = new TrueupError('GIT_FAILED', {
        doing: `${doing} in repository ${repository}`,
        why: lastLines(result.stderr) || `git ${argv[0]} ended with ${result.exitCode}`,
      })
      throw tellsOfNoRoom(failed) ? new TrueupError('NO_ROOM', failed.text) : failed
    },
  }
  return command
}

function lastLines(stderr: string): string {
  return stderr.trim().split('\n').slice(-5).join('\n')
}

/** Fields that end with NUL each. */
export function nulFields(bytes: Buffer): Buffer[] {
  const fields: Buffer[] = []
  for (let at = 0, end = bytes.indexOf(0); end >= 0; at = end + 1, end = bytes.indexOf(0, at))
    fields.push(bytes.subarray(at, end))
  return fields
}
