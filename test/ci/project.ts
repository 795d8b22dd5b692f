import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { PassThrough } from 'node:stream'
import { createCli } from '../../src/cli/cli.ts'
import { ciCommands } from '../../src/cli/commands/ci.ts'
import { buildProgram } from '../../src/cli/program.ts'
import { assertDescribed } from '../../src/cli/testing/outputs.ts'
import { type Ran, type Shell, openShell } from '../../src/cli/testing/process.ts'
import { asTrueupError } from '../../src/lib/errors/error.ts'
import { type GitLabDouble, startGitLabDouble } from '../forges/gitlab/double.ts'
import { askApi, type Answer } from '../forges/place.ts'

/** A project on a double of GitLab, its checkouts by real git over HTTP, and jobs with the variables that GitLab sets. */
export interface Project {
  double: GitLabDouble
  shell: Shell
  /** Where stacks write to. */
  readonly at: (...path: string[]) => string
  /** Pushes files as a commit on top of `from`, and gives its id. */
  push(branch: string, files: { [path: string]: string | null }, from?: string): Promise<string>
  open(branch: string): Promise<number>
  merge(number: number): Promise<string>
  comments(number: number): Promise<{ id: number; body: string }[]>
  /** Asks the API as somebody. */
  ask(who: string, method: string, path: string, body?: object): Promise<Answer>
  /** A job in a clone of its own, checked out at a commit, in this process. `number`: of its merge request. */
  job(args: readonly string[], options: JobOptions): Promise<Ran>
  /** The same, started only. */
  checkOut(commit: string, depth?: number): string
  environment(options: Pick<JobOptions, 'number' | 'env' | 'commit'>): Record<string, string>
  close(): Promise<void>
}

export interface JobOptions {
  commit: string
  number?: number
  env?: Record<string, string>
  /** Clones no more commits than this. */
  depth?: number
}

export async function openProject(): Promise<Project> {
  const double = await startGitLabDouble()
  const shell = await openShell()
  const directory = mkdtempSync(join(tmpdir(), 'trueup-ci-test-'))
  const tokenOf = (who: string): string => double.state.users.find(({ username }) => username === who)!.token
  const git = (cwd: string, ...argv: string[]): string =>
    execFileSync('git', argv, { cwd, env: { ...shell.env, GIT_CONFIG_GLOBAL: '/dev/null' }, encoding: 'utf8' }).trim()
  const there = `file://${double.git.directory}`
  const mine = join(directory, 'mine')
  git(directory, 'clone', '--quiet', there, mine)
  mkdirSync(join(directory, 'targets'))
  let jobs = 0
  const ask: Project['ask'] = (who, method, path, body) =>
    askApi(`${double.address}/api/v4${path}`, { 'private-token': tokenOf(who) }, { method, body, forbidden: 401 })
  const mrs = '/projects/9/merge_requests'

  const project: Project = {
    double,
    shell,
    at: (...path) => join(directory, 'targets', ...path),
    async push(branch, files, from) {
      git(mine, 'fetch', '--quiet', 'origin')
      if (from !== undefined) git(mine, 'checkout', '--quiet', '-B', branch, from)
      else git(mine, 'checkout', '--quiet', '-B', branch)
      for (const [path, text] of Object.entries(files)) {
        const file = join(mine, path)
        if (text === null) rmSync(file, { recursive: true })
        else {
          mkdirSync(dirname(file), { recursive: true })
          writeFileSync(file, text)
        }
      }
      git(mine, 'add', '--all')
      git(mine, 'commit', '--quiet', '--message', `change ${Object.keys(files).join(', ')}`)
      git(mine, 'push', '--quiet', '--force', 'origin', branch)
      const commit = git(mine, 'rev-parse', 'HEAD')
      double.git.forget()
      double.state.pushes.push({ author: double.state.users[2]!, branch, sha: commit })
      return commit
    },
    open: async (branch) =>
      (await ask('author', 'POST', mrs, { source_branch: branch, target_branch: 'main', title: branch })).iid,
    async merge(number) {
      for (let looks = 0; looks < 100; looks++)
        if ((await ask('owner', 'GET', `${mrs}/${number}`)).detailed_merge_status !== 'checking') break
      await ask('owner', 'PUT', `${mrs}/${number}/merge`, {})
      double.git.forget()
      return (await double.git.tip('main'))!
    },
    comments: (number) => ask('author', 'GET', `${mrs}/${number}/notes?sort=asc&per_page=100`),
    ask,
    checkOut(commit, depth) {
      const clone = join(directory, `job-${++jobs}`)
      const depths = depth === undefined ? [] : ['--depth', String(depth)]
      git(directory, 'clone', '--quiet', ...depths, '--no-checkout', there, clone)
      git(clone, 'fetch', '--quiet', ...depths, 'origin', commit)
      git(clone, 'checkout', '--quiet', '--detach', commit)
      return clone
    },
    environment: ({ number, env, commit }) => ({
      GITLAB_CI: 'true',
      CI: 'true',
      CI_SERVER_URL: double.address,
      CI_PROJECT_PATH: double.state.path,
      CI_COMMIT_SHA: commit,
      CI_DEFAULT_BRANCH: 'main',
      TRUEUP_CI_TOKEN: tokenOf('trueup-bot'),
      ...(number !== undefined && {
        CI_MERGE_REQUEST_IID: String(number),
        CI_MERGE_REQUEST_TARGET_BRANCH_NAME: 'main',
      }),
      ...env,
    }),
    async job(args, options) {
      const cwd = project.checkOut(options.commit, options.depth)
      return await runHere(args, { cwd, env: { ...shell.env, ...project.environment(options) } })
    },
    async close() {
      await shell.close()
      await double.close()
      rmSync(directory, { recursive: true, force: true, maxRetries: 3 })
    },
  }
  return project
}

/** The command in this process, which costs a second less than one of its own. */
async function runHere(
  args: readonly string[],
  { cwd, env }: { cwd: string; env: Record<string, string> },
): Promise<Ran> {
  const said = { out: '', err: '' }
  const stream = (name: 'out' | 'err'): NodeJS.WritableStream => {
    const through = new PassThrough()
    through.on('data', (chunk: Buffer) => (said[name] += chunk.toString('utf8')))
    return through
  }
  let code = 0
  const cli = createCli({
    streams: { out: stream('out'), err: stream('err'), env },
    stdin: process.stdin,
    env,
    cwd,
    signal: new AbortController().signal,
    takeSignals() {},
    exitWith: (its) => {
      code = its
    },
  })
  try {
    await buildProgram(cli, [ciCommands]).parseAsync(['ci', ...args], { from: 'user' })
  } catch (thrown) {
    code = 1
    said.err += asTrueupError(thrown, 'trueup ci').explain()
  }
  const { out, err } = said
  if (code !== 1 && args.includes('json')) assertDescribed(['ci', ...args], out)
  return {
    code,
    out,
    err,
    get json() {
      return JSON.parse(out)
    },
  }
}
