import { spawn, type ChildProcess } from 'node:child_process'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Logger } from '../lib/log.ts'
import { SHORT_PAUSES } from '../lib/short-pauses.ts'
import { pause } from '../lib/retry.ts'
import type { Store } from '../store/open.ts'
import { createEnrolment, getWorker } from '../store/workers/workers.ts'
import { sandboxWords } from '../worker/sandbox/options.ts'
import type { SandboxSettings } from '../worker/sandbox/settings.ts'
import { newToken } from './auth/token.ts'
import { writeDurably } from '../lib/durable-file.ts'
import { readOptional } from './files.ts'

/** What an operator sets for the tools of this machine; nothing else of the server's environment reaches them. */
const PASSED_ENV = ['TF_CLI_CONFIG_FILE', 'TF_PLUGIN_MIRROR', 'HTTPS_PROXY', 'NO_PROXY', 'SSL_CERT_FILE']

export interface BuiltinRunnerOptions {
  store: Store
  log: Logger
  /** Address at which the server listens. */
  url: string
  /** Directory of the runner's key, caches and outbox. */
  directory: string
  slots: number
  /** Of the runner's own log. */
  logLevel: string
  /** Directory for run workspaces; the runner chooses where absent. */
  workDir?: string
  sandbox: SandboxSettings
}

export interface BuiltinRunner {
  /** Pid of the process that runs now; null between two. */
  pid(): number | null
  /** Lets running work end for up to `drainMs`, then ends the process group. */
  stop(drainMs: number): Promise<void>
}

const PAUSES = { first: 500, longest: 30_000 }
/** A process that lived this long was well: the next pause starts small again. */
const HEALTHY_MS = 60_000
const TOKEN_LIFE_MS = 10 * 60_000
/** Source in development, compiled in a published package: the same place relative to this file. */
const MAIN = fileURLToPath(new URL(`../worker/main${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url))

/**
 * Starts the runner that every server has: a process of its own which enrols and connects exactly as a remote one does,
 * is started again when it dies, and ends by itself when this process is gone (its standard input closes).
 */
export function startBuiltinRunner(options: BuiltinRunnerOptions): BuiltinRunner {
  const { log } = options
  const stopping = new AbortController()
  let child: ChildProcess | null = null
  const supervised = supervise()
  return {
    pid: () => child?.pid ?? null,
    async stop(drainMs) {
      stopping.abort()
      child?.kill('SIGTERM')
      const late = setTimeout(() => killGroup(child), drainMs)
      await supervised
      clearTimeout(late)
    },
  }

  async function supervise(): Promise<void> {
    for (let failures = 0; !stopping.signal.aborted; ) {
      const began = Date.now()
      try {
        const how = await runOnce()
        if (stopping.signal.aborted) return
        log.warn(how, 'built-in runner ended, starting it again')
      } catch (error) {
        log.error({ err: error }, 'built-in runner could not be started')
      }
      failures = Date.now() - began > HEALTHY_MS ? 1 : failures + 1
      await pause(failures, PAUSES, stopping.signal)
    }
  }

  async function runOnce(): Promise<{ exitCode: number | null; signal: string | null }> {
    await mkdir(options.directory, { recursive: true, mode: 0o700 })
    const tokenFile = await enrolmentToken(options)
    if (stopping.signal.aborted) return { exitCode: null, signal: null }
    const { url, directory, slots, workDir } = options
    const argv = [
      ...process.execArgv,
      ...SHORT_PAUSES,
      MAIN,
      '--with-parent',
      `--server=${url}`,
      `--data=${directory}`,
      '--name=builtin',
      `--slots=${slots}`,
      ...(tokenFile === null ? [] : [`--token-file=${tokenFile}`]),
      ...(workDir === undefined ? [] : [`--workspaces=${workDir}`]),
      ...sandboxWords(options.sandbox),
      `--pass-env=${PASSED_ENV.filter((name) => process.env[name]).join(',')}`,
    ]
    // A group of its own: Ctrl-C in the server's terminal must not cut off running tools. Its log joins the server's.
    const env = { ...process.env, TRUEUP_LOG_LEVEL: options.logLevel }
    const process_ = spawn(process.execPath, argv, { stdio: ['pipe', 2, 2], detached: true, env })
    child = process_
    process_.stdin?.on('error', () => {})
    return new Promise((resolve, reject) => {
      process_.once('error', reject)
      process_.once('exit', (exitCode, signal) => {
        killGroup(process_)
        child = null
        // A disk that takes no writes any more keeps it, and it is good once and for minutes: no reason to end the server.
        if (tokenFile !== null)
          rm(tokenFile, { force: true }).catch((error: unknown) => log.warn({ err: error }, 'a used token is left'))
        resolve({ exitCode, signal })
      })
    })
  }
}

/** File with a one-time token, or null where the runner's stored identity is still good. */
async function enrolmentToken({ store, directory }: BuiltinRunnerOptions): Promise<string | null> {
  const stored = await readOptional(join(directory, 'identity.json'))
  const workerId = stored === null ? undefined : workerIdIn(stored)
  const worker = workerId === undefined ? undefined : await getWorker(store.db, workerId)
  if (worker && worker.revokedAt === null) return null
  const { token, hash } = newToken('enrolment')
  const expiresAt = store.clock.now() + TOKEN_LIFE_MS
  await createEnrolment(store.db, { tokenHash: hash, pools: ['default'], expiresAt, builtin: true })
  const file = join(directory, 'enrolment.token')
  await writeDurably(file, `${token}\n`, 0o600)
  return file
}

function workerIdIn(text: string): string | undefined {
  try {
    const { workerId } = JSON.parse(text) as { workerId?: unknown }
    return typeof workerId === 'string' ? workerId : undefined
  } catch {
    return undefined
  }
}

/** What the runner left in its group; tools have groups of their own, which the runner's successor ends. */
function killGroup(child: ChildProcess | null): void {
  if (child?.pid === undefined) return
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    // The group is empty: that is what was wanted.
  }
}
