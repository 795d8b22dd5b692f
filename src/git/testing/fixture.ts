import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { NO_OID, type CommitFiles, type GitRepository, type GitService, type Person } from '../repository.ts'
import { startGitService } from '../service.ts'

/** A git service on a directory of its own, with one repository. */
export interface GitFixture {
  directory: string
  root: string
  spool: string
  service: GitService
  repository: GitRepository
  /** Commits on a branch by `commitFiles` and moves the branch. */
  commit: (
    branch: string,
    files: { [path: string]: string | Buffer | null },
    more?: Partial<CommitFiles>,
  ) => Promise<string>
  close(): Promise<void>
}

export const ADA: Person = { name: 'Ada Lovelace', email: 'ada@example.test', at: 1_760_000_000_000 }

export async function startGitFixture(): Promise<GitFixture> {
  const directory = await mkdtemp(join(tmpdir(), 'trueup-git-test-'))
  const root = join(directory, 'repositories')
  const spool = join(directory, 'spool')
  await mkdir(spool)
  const service = await startGitService({ root })
  const repository = service.repository('repo_test')
  await repository.init('main')
  return {
    directory,
    root,
    spool,
    service,
    repository,
    async commit(branch, files, more = {}) {
      const ref = `refs/heads/${branch}`
      const parent = await repository.resolve(ref)
      const changes = Object.entries(files).map(([path, content]) => ({
        path,
        content: typeof content === 'string' ? Buffer.from(content) : content,
      }))
      const all = { parent, message: 'Change things\n', author: ADA, files: changes, ...more }
      const oid = await repository.commitFiles(all)
      if (!(await repository.updateRef(ref, oid, parent ?? NO_OID))) throw new Error(`${ref} moved meanwhile`)
      return oid
    },
    async close() {
      await service.close()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

export interface Ran {
  exitCode: number
  stdout: string
  stderr: string
}

/** A user's own git, with none of the machine's configuration. */
export async function userGit(cwd: string, ...argv: string[]): Promise<Ran> {
  const env = {
    PATH: process.env['PATH'],
    HOME: cwd,
    LC_ALL: 'C',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_AUTHOR_NAME: 'Ada',
    GIT_AUTHOR_EMAIL: 'ada@example.test',
    GIT_COMMITTER_NAME: 'Ada',
    GIT_COMMITTER_EMAIL: 'ada@example.test',
  }
  return await new Promise((resolve) => {
    execFile('git', argv, { cwd, env, maxBuffer: 1e8 }, (error, stdout, stderr) => {
      resolve({ exitCode: error ? Number(error.code ?? 1) : 0, stdout, stderr })
    })
  })
}

/** As `userGit`, but anything else than success is an error that shows what git said. */
export async function userGitOk(cwd: string, ...argv: string[]): Promise<string> {
  const ran = await userGit(cwd, ...argv)
  if (ran.exitCode !== 0) throw new Error(`git ${argv.join(' ')} ended with ${ran.exitCode}: ${ran.stderr}`)
  return ran.stdout
}

export async function writeFiles(directory: string, files: { [path: string]: string | Buffer }): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(directory, path)), { recursive: true })
    await writeFile(join(directory, path), content)
  }
}

/** Polls until the condition holds. */
export async function eventually(condition: () => boolean | Promise<boolean>, timeoutMs = 180_000): Promise<void> {
  for (const until = Date.now() + timeoutMs; ; ) {
    if (await condition()) return
    if (Date.now() > until) throw new Error(`this did not come true in ${timeoutMs} ms: ${condition.toString()}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** Processes of the service on `root` whose command line has the text, found by their arguments or environment. */
export function processesOf(root: string, text: string): number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return pids.map(Number).filter((pid) => {
    const commandLine = readProcess(pid, 'cmdline').replaceAll('\0', ' ')
    return commandLine.includes(text) && (commandLine.includes(root) || readProcess(pid, 'environ').includes(root))
  })
}

function readProcess(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1')
  } catch {
    return ''
  }
}
