import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { runProcess } from '../../lib/process/run.ts'
import { startServer } from '../start.ts'
import { ask, type TestAnswer } from './app.ts'

/** A whole server with its built-in runner, one repository `shop` and a clone of it that real git works in. */
export interface LiveServer {
  url: string
  /** For targets of stacks. */
  directory: string
  /** As the administrator. */
  request(method: string, path: string, body?: unknown): Promise<TestAnswer>
  /** Below `/api/v1/repositories/shop`. */
  shop(method: string, path: string, body?: unknown): Promise<TestAnswer>
  git(...argv: string[]): Promise<string>
  /** Commits files (null removes) on a new branch from what main is, pushes it, and answers with the branch. */
  push(branch: string, files: { [path: string]: string | null }): Promise<string>
  /** Commits files on a branch that `push` made, and pushes it. */
  commitTo(branch: string, files: { [path: string]: string | null }): Promise<void>
  /** Ends the server and starts it again, at the same address and on the same data. */
  restart(): Promise<void>
  /** The same, with something done in between. */
  away(work: () => Promise<void>): Promise<void>
  close(): Promise<void>
}

/** `files`: what the first push brings, a function of the directory for targets. */
export async function startLiveServer(
  files: (directory: string) => { [path: string]: string },
  options: { host?: string; leaseMs?: number } = {},
): Promise<LiveServer> {
  const directory = await mkdtemp(join(tmpdir(), 'trueup-live-'))
  const start = (port: number) =>
    startServer({ dataDir: join(directory, 'data'), port, logLevel: 'silent', runnerSlots: 2, ...options })
  let server = await start(0)
  const token = (await readFile(server.adminTokenFile!, 'utf8')).trim()
  const { url } = server
  const clone = join(directory, 'clone')
  await mkdir(clone)
  const request = (method: string, path: string, body?: unknown) => ask(url, token, method, path, body)
  const git = async (...argv: string[]): Promise<string> => {
    const env = {
      PATH: process.env['PATH'] ?? '',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'http.extraHeader',
      GIT_CONFIG_VALUE_0: `Authorization: Basic ${Buffer.from(`x:${token}`).toString('base64')}`,
      GIT_AUTHOR_NAME: 'Ada',
      GIT_AUTHOR_EMAIL: 'ada@example.org',
      GIT_COMMITTER_NAME: 'Ada',
      GIT_COMMITTER_EMAIL: 'ada@example.org',
    }
    const ran = await runProcess({ argv: ['git', ...argv], cwd: clone, env, timeoutMs: 180_000 })
    if (ran.exitCode !== 0) throw new Error(`git ${argv.join(' ')}: ${ran.stderr}`)
    return ran.stdout + ran.stderr
  }
  const commit = async (changes: { [path: string]: string | null }): Promise<void> => {
    for (const [path, content] of Object.entries(changes)) {
      const file = join(clone, path)
      await mkdir(dirname(file), { recursive: true })
      if (content === null) await rm(file, { recursive: true })
      else await writeFile(file, content)
    }
    await git('add', '--all')
    await git('commit', '--quiet', '--message', `Change ${Object.keys(changes).join(' and ')}`)
  }
  const away = async (work: () => Promise<void>): Promise<void> => {
    await server.close()
    try {
      await work()
    } finally {
      server = await start(Number(new URL(url).port))
    }
  }
  await request('POST', '/api/v1/repositories', { name: 'shop' })
  await git('init', '--quiet', '--initial-branch', 'main')
  await git('remote', 'add', 'origin', `${url}/git/shop.git`)
  await commit(files(directory))
  await git('push', '--quiet', 'origin', 'main')
  return {
    url,
    directory,
    request,
    shop: (method, path, body) => request(method, `/api/v1/repositories/shop${path}`, body),
    git,
    async push(branch, changes) {
      await git('fetch', '--quiet', 'origin')
      await git('switch', '--quiet', '--create', branch, 'origin/main')
      await commit(changes)
      await git('push', '--quiet', 'origin', branch)
      return branch
    },
    async commitTo(branch, changes) {
      await git('switch', '--quiet', branch)
      await commit(changes)
      await git('push', '--quiet', 'origin', branch)
    },
    restart: () => away(async () => {}),
    away,
    async close() {
      await server.close()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** Asks until the answer fits; the last answer is in the error otherwise. */
export async function until<T>(look: () => Promise<T>, fits: (answer: T) => boolean, timeoutMs = 180_000): Promise<T> {
  const end = Date.now() + timeoutMs
  for (;;) {
    const answer = await look()
    if (fits(answer)) return answer
    if (Date.now() > end) throw new Error(`still not so: ${JSON.stringify(answer)}`)
    await sleep(50)
  }
}
