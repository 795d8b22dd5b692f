import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { assertDescribed } from './outputs.ts'

const MAIN = join(import.meta.dirname, '..', 'main.ts')

export interface Ran {
  code: number | null
  out: string
  err: string
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into answers of every shape
  json: any
}

/** The command line as a person has it: real processes in a home of their own. */
export interface Shell {
  home: string
  env: Record<string, string>
  /** What it prints as JSON is held against the command's schema. */
  run(args: readonly string[], options?: { input?: string; cwd?: string; env?: Record<string, string> }): Promise<Ran>
  /** A process that goes on until it ends by itself or is ended. */
  start(args: readonly string[], options?: { cwd?: string; env?: Record<string, string> }): ChildProcess
  /** A server that runs until `close`; resolves when it says that it is up. */
  up(args?: readonly string[]): Promise<{ process: ChildProcess; url: string; said(): string }>
  close(): Promise<void>
}

/** Whether the words ask for JSON. */
const isJson = (args: readonly string[]): boolean =>
  args.some(
    (word, at) =>
      word === '-ojson' || word === '--output=json' || (word === 'json' && /^(-o|--output)$/.test(args[at - 1] ?? '')),
  )

export async function openShell(): Promise<Shell> {
  const home = await mkdtemp(join(tmpdir(), 'trueup-cli-'))
  const env = {
    PATH: process.env.PATH!,
    HOME: home,
    TRUEUP_DATA: join(home, 'data'),
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_AUTHOR_NAME: 'a',
    GIT_AUTHOR_EMAIL: 'a@x',
    GIT_COMMITTER_NAME: 'a',
    GIT_COMMITTER_EMAIL: 'a@x',
    NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? '',
    NODE_OPTIONS: '--disable-warning=ExperimentalWarning',
  }
  const servers: ChildProcess[] = []
  const start = (args: readonly string[], options: { cwd?: string; env?: Record<string, string> } = {}) =>
    spawn(process.execPath, [MAIN, ...args], { cwd: options.cwd ?? home, env: { ...env, ...options.env } })
  return {
    home,
    env,
    start,
    async run(args, options = {}) {
      const child = start(args, options)
      child.stdin.end(options.input ?? '')
      const [out, err, code] = await Promise.all([
        text(child.stdout),
        text(child.stderr),
        new Promise<number | null>((resolve) => child.once('close', resolve)),
      ])
      if (code !== 1 && isJson(args)) assertDescribed(args, out)
      return {
        code,
        out,
        err,
        get json() {
          return JSON.parse(out)
        },
      }
    },
    async up(args = []) {
      const child = start(['up', '--port', '0', '--runner-slots', '0', ...args])
      servers.push(child)
      let said = ''
      child.stderr.on('data', (chunk) => (said += chunk))
      const url = await new Promise<string>((resolve, reject) => {
        child.stdout.on('data', (chunk) => {
          said += chunk
          const found = /http:\/\/[\d.]+:\d+/.exec(said)?.[0]
          if (found && said.includes('Ctrl-C')) resolve(found)
        })
        child.once('exit', (code) => reject(new Error(`the server ended with ${code}: ${said}`)))
      })
      return { process: child, url, said: () => said }
    },
    async close() {
      for (const server of servers) {
        if (server.exitCode !== null || server.signalCode !== null) continue
        server.kill('SIGTERM')
        await new Promise((resolve) => server.once('exit', resolve))
      }
      await rm(home, { recursive: true, force: true })
    },
  }
}
