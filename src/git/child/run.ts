import { constants, setPriority } from 'node:os'
import { TrueupError } from '../../lib/errors/error.ts'
import type { GitRunOptions, GitRunResult } from '../repository.ts'
import type { GitEnvironment } from '../environment.ts'
import { cannotStart, type Processes } from './processes.ts'

const STDERR_KEPT = 64 * 1024

export interface RunContext {
  processes: Processes
  environment: GitEnvironment
  directoryOf: (repository: string) => string
  root: string
}

/** Everything else goes first. What it starts itself inherits that. */
function giveWay(pid: number | undefined): void {
  try {
    if (pid !== undefined) setPriority(pid, constants.priority.PRIORITY_LOW)
  } catch {
    // It has ended already.
  }
}

/** Runs one git command to its end, bounded in time and output. */
export async function runGit(
  context: RunContext,
  argv: readonly string[],
  options: Omit<GitRunOptions, 'readOnly'>,
): Promise<GitRunResult> {
  const { timeoutMs = 60_000, maxOutputBytes = 16 * 1024 * 1024, signal } = options
  const environment = { ...context.environment, ...options.env }
  if (options.repository !== undefined) environment['GIT_DIR'] = context.directoryOf(options.repository)
  const doing = `running git ${argv[0]}${options.repository === undefined ? '' : ` in repository ${options.repository}`}`
  const child = context.processes.start('git', argv, {
    cwd: context.root,
    env: environment,
    stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  })
  if (options.background) giveWay(child.pid)
  const chunks: Buffer[] = []
  let size = 0
  let stderr = ''
  let stopped: TrueupError | null = null
  const stop = (error: TrueupError): void => {
    stopped ??= error
    context.processes.end(child)
  }
  const timer = setTimeout(
    () => stop(new TrueupError('TIMED_OUT', { doing, why: `it took longer than ${timeoutMs} ms` })),
    timeoutMs,
  )
  const cancel = (): void => stop(new TrueupError('CANCELED', { doing, why: 'it is not wanted any more' }))
  if (signal?.aborted) cancel()
  signal?.addEventListener('abort', cancel, { once: true })
  child.stdout!.on('data', (chunk: Buffer) => {
    size += chunk.length
    if (size <= maxOutputBytes) chunks.push(chunk)
    else stop(new TrueupError('TOO_LARGE', { doing, why: `git answered with more than ${maxOutputBytes} bytes` }))
  })
  child.stderr!.on('data', (chunk: Buffer) => {
    if (stderr.length < STDERR_KEPT) stderr += chunk.toString('utf8')
  })
  child.stdin?.end(options.input)
  try {
    const exitCode = await new Promise<number>((resolve, reject) => {
      child.once('error', (error) => reject(cannotStart(error)))
      child.once('close', (code, name) => {
        if (stopped) reject(stopped)
        else if (code !== null) resolve(code)
        else reject(new TrueupError('GIT_FAILED', { doing, why: `git was ended by ${name ?? 'a signal'}` }))
      })
    })
    return { exitCode, stdout: Buffer.concat(chunks), stderr: stderr.slice(0, STDERR_KEPT) }
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', cancel)
  }
}
