import { coerce } from 'semver'
import { TrueupError } from '../../../lib/errors/error.ts'
import { checkVersion } from '../../tools/check-version.ts'
import { checkEnded, lastWords, toolFailed } from '../../tools/verdict.ts'
import { messagesOf, succeeded } from './answer.ts'
import { ask, type ExecutableContext } from './conversation.ts'
import { runShell, type ShellContext } from './shell.ts'

/** `{ command: <first line of the version command> }`, checked against the stack's `toolVersion:`. */
export async function shellVersions(context: ShellContext): Promise<{ [tool: string]: string }> {
  const { config, toolVersion } = context
  if (config.version === undefined) {
    if (toolVersion === undefined) return {}
    throw new TrueupError('CONFIG_INVALID', {
      doing: 'checking the tool version',
      why: '`toolVersion:` is set, and `with:` has no `version` command that would say it',
      next: 'Add `version: mytool --version`, or remove `toolVersion:`.',
    })
  }
  const doing = 'running the `version` command'
  const result = await runShell(context, config.version, true)
  checkEnded(doing, result)
  if (result.exitCode === 127) throw new TrueupError('TOOL_MISSING', { doing, why: lastWords(result) })
  if (result.exitCode !== 0) throw toolFailed(doing, result)
  const line = result.stdout.trim().split('\n')[0] ?? ''
  const version = coerce(line)?.version ?? line.slice(0, 100)
  checkVersion({ name: 'the command', version }, toolVersion)
  return { command: version }
}

/** Tool versions as the program tells them; the first must fit the stack's `toolVersion:`. */
export async function executableVersions(context: ExecutableContext): Promise<{ [tool: string]: string }> {
  const answer = succeeded(await ask(context, 'versions'), context, 'telling its version')
  const told = messagesOf(answer, 'version')
  checkVersion({ name: told[0]?.tool ?? 'the program', version: told[0]?.version ?? '' }, context.toolVersion)
  return Object.fromEntries(told.map(({ tool, version }) => [tool, version]))
}
