import { type ChildProcess, spawn } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { processesWith } from './processes.ts'
import { until } from './wait.ts'

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
const TRIPWIRE = new URL('./tripwire.ts', import.meta.url).href
const START_MS = 180_000

export interface ServerOptions {
  dataDir: string
  port: number
  /** Environment of the server, and so of its runner. `TRUEUP_TEST_HOLD` also marks every process of this server. */
  hold: string
  logFile: string
  slots: number
  lease: string
  workDir: string
  /** The program, of another revision; this one's where absent. */
  main?: string
  /** Further words of the command line. */
  argv?: string[]
  /** Ends the server by itself; see tripwire.ts. */
  killAt?: string
}

/** A whole server as its operator starts it: `trueup up` in a process of its own. */
export interface FaultServer {
  readonly url: string
  readonly pid: number
  readonly exited: Promise<{ code: number | null; signal: string | null }>
  adminToken(): Promise<string>
  /** Pid of the built-in runner, found below the server; null where there is none at the moment. */
  runnerPid(): number | null
  /** SIGKILL to the server process alone: its children find out by themselves, as after a crash. */
  kill(): Promise<void>
  signal(name: NodeJS.Signals): void
  /** SIGTERM, and SIGKILL when that takes too long. */
  stop(): Promise<void>
}

export async function startServer(options: ServerOptions): Promise<FaultServer> {
  const starting = launch(options)
  const url = `http://127.0.0.1:${options.port}`
  await until(
    'the server answers',
    async () => {
      const gone = await Promise.race([starting.exited, Promise.resolve(null)])
      if (gone) throw new Error(`the server ended with ${gone.code ?? gone.signal}: ${starting.errors()}`)
      const answer = await fetch(`${url}/readyz`).catch(() => null)
      return answer?.ok === true
    },
    START_MS,
  )
  const { child, exited } = starting
  return {
    url,
    pid: child.pid!,
    exited,
    adminToken: async () => (await readFile(join(options.dataDir, 'admin.token'), 'utf8')).trim(),
    runnerPid: () =>
      processesWith({ TRUEUP_TEST_HOLD: options.hold }).find(
        ({ ppid, argv }) => ppid === child.pid && argv.includes('worker/main.ts'),
      )?.pid ?? null,
    async kill() {
      child.kill('SIGKILL')
      await exited
    },
    signal: (name) => void child.kill(name),
    async stop() {
      child.kill('SIGCONT')
      child.kill('SIGTERM')
      const late = setTimeout(() => child.kill('SIGKILL'), 20_000)
      await exited
      clearTimeout(late)
    },
  }
}

export interface Launched {
  child: ChildProcess
  exited: Promise<{ code: number | null; signal: string | null }>
  /** What it said on standard error, the last part. */
  errors(): string
}

/** Starts the process and does not wait for it to be ready. */
export function launch(options: ServerOptions): Launched {
  const { dataDir, port, hold, logFile, slots, lease, workDir, main = MAIN, argv = [], killAt } = options
  const words = [
    'up',
    '--data',
    dataDir,
    '--port',
    String(port),
    '--runner-slots',
    String(slots),
    '--lease',
    lease,
    '--work-dir',
    workDir,
    '--log-level',
    'info',
  ]
  const child = spawn(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      ...(killAt === undefined ? [] : ['--import', TRIPWIRE]),
      main,
      ...words,
      ...argv,
    ],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, TRUEUP_TEST_HOLD: hold, ...(killAt !== undefined && { TRUEUP_TEST_KILL_AT: killAt }) },
    },
  )
  let tail = ''
  const log = createWriteStream(logFile, { flags: 'a' })
  child.stderr?.on('data', (chunk: Buffer) => {
    tail = (tail + chunk.toString()).slice(-4_000)
    log.write(chunk)
  })
  const exited = new Promise<{ code: number | null; signal: string | null }>((resolve) =>
    child.once('exit', (code, signal) => {
      resolve({ code, signal })
    }),
  )
  child.once('close', () => log.end())
  return { child, exited, errors: () => tail }
}

/** A port that was free a moment ago; fixed, so that a server comes back at the address that its runner knows. */
