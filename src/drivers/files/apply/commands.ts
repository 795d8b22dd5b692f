import { copyFileSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseDuration } from '../../../domain/duration.ts'
import { TrueupError } from '../../../lib/errors/error.ts'
import type { DriverContext } from '../../driver.ts'
import { checkCommands, type Command, type FilesConfig, reloadCommands } from '../config.ts'
import { matchAny } from '../source/rules.ts'
import type { WantedTree } from '../source/source.ts'

const DEFAULT_TIMEOUT_MS = 5 * 60_000

/** A changed file and where its new content lies until it is put in place. */
export interface Staged {
  /** Below the target. */
  path: string
  temporary: string
}

/** Runs the `check` commands that concern the staged files. Throws VERIFY_FAILED for the first that is not content. */
export async function runChecks(
  context: DriverContext<FilesConfig>,
  staged: readonly Staged[],
  wanted: WantedTree,
): Promise<void> {
  for (const command of checkCommands(context.config)) {
    const concerned = staged.filter(({ path }) => matches(command, path))
    if (concerned.length === 0) continue
    const tree = command.run.includes('{tree}') ? buildTree(context, wanted) : ''
    const line = command.run.replaceAll('{tree}', quote(tree))
    const lines = line.includes('{file}') ? concerned.map((file) => ({ file, line: fileLine(line, file) })) : [{ line }]
    for (const { line: one } of lines) await runChecked(context, command, one, 'checking the new files')
    if (tree !== '') rmSync(tree, { recursive: true, force: true })
  }
}

/** Which reload commands are due after these paths have changed. */
export function dueReloads(config: FilesConfig, changed: readonly string[]): string[] {
  return reloadCommands(config)
    .filter((command) => changed.some((path) => matches(command, path)))
    .map(({ run }) => run)
}

/** Runs one reload command. Throws TOOL_FAILED. */
export async function runReload(context: DriverContext<FilesConfig>, run: string): Promise<void> {
  const command = reloadCommands(context.config).find((one) => one.run === run) ?? { run }
  await runChecked(context, command, run, 'reloading after the change')
}

async function runChecked(
  context: DriverContext<FilesConfig>,
  command: Command,
  line: string,
  doing: string,
): Promise<void> {
  context.log(`$ ${line}`.replaceAll('\n', ' '))
  const timeoutMs = command.timeout === undefined ? DEFAULT_TIMEOUT_MS : parseDuration(command.timeout)
  const argv = ['/bin/sh', '-c', line]
  const result = await context.run({ argv, cwd: '/', env: context.env, timeoutMs, signal: context.signal })
  if (result.exitCode === 0) return
  const output = `${result.stdout}${result.stderr}`.trim().slice(-2000)
  const end = result.timedOut
    ? `did not end within ${timeoutMs} ms`
    : `ended with ${result.exitCode === null ? `signal ${result.signal}` : `exit code ${result.exitCode}`}`
  throw new TrueupError(result.canceled ? 'CANCELED' : 'TOOL_FAILED', {
    doing: `${doing} with \`${command.run}\``,
    why: output === '' ? `it ${end}` : `it ${end}: ${output}`,
    next: 'Run the command on the host by hand, put right what it says, and deploy again.',
  })
}

const matches = (command: Command, path: string): boolean => !command.match || matchAny(command.match)(path)

const fileLine = (line: string, { temporary }: Staged): string => line.replaceAll('{file}', () => quote(temporary))

/** One word for a POSIX shell, whatever characters it holds. */
const quote = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`

/** The wanted tree as a whole in the run's private directory, for tools that check a configuration and not a file. */
function buildTree(context: DriverContext<FilesConfig>, wanted: WantedTree): string {
  const tree = join(context.scratch, 'check-tree')
  rmSync(tree, { recursive: true, force: true })
  for (const entry of wanted.entries.values()) {
    const path = join(tree, entry.path)
    mkdirSync(entry.kind === 'directory' ? path : dirname(path), { recursive: true, mode: 0o755 })
    if (entry.kind === 'symlink') symlinkSync(entry.target, path)
    if (entry.kind !== 'file') continue
    if (entry.rendered) writeFileSync(path, entry.rendered, { mode: entry.mode })
    else copyFileSync(entry.origin, path)
  }
  return tree
}
