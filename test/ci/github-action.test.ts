import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { parse } from 'yaml'
import { makeKey } from '../../src/cli/ci/key.ts'
import { runProcess } from '../../src/lib/process/run.ts'
import { askApi, type Answer } from '../forges/place.ts'
import { type GitHubDouble, startGitHubDouble } from '../forges/github/double.ts'
import { placeOfGitHub } from '../forges/subjects/github.ts'
import { configOf } from './estate.ts'

const root = join(import.meta.dirname, '..', '..')
const action = parse(readFileSync(join(root, 'actions', 'trueup', 'action.yml'), 'utf8'))

let double: GitHubDouble
let directory: string
let key: string
beforeAll(async () => {
  double = await startGitHubDouble()
  directory = mkdtempSync(join(tmpdir(), 'trueup-action-'))
  mkdirSync(join(directory, 'targets'))
  key = await makeKey()
})
afterAll(async () => {
  await double?.close()
  rmSync(directory, { recursive: true, force: true, maxRetries: 3 })
})

const at = (...path: string[]): string => join(directory, 'targets', ...path)
const git = (cwd: string, ...argv: string[]): string =>
  execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@x', ...argv], { cwd, encoding: 'utf8' }).trim()

/** The one step of the action, as GitHub runs it, in a clone that is checked out at a commit. */
async function act(
  commit: string,
  event: string,
  { payload = {}, inputs = {} }: { payload?: object; inputs?: object },
) {
  const { address, path, accounts, near } = placeOfGitHub(double)
  const cwd = mkdtempSync(join(directory, 'job-'))
  git(cwd, 'clone', '--quiet', '--no-checkout', near!.url, '.')
  git(cwd, 'checkout', '--quiet', '--detach', commit)
  const given: { [name: string]: string } = {
    token: accounts.bot.token,
    trueup: `${process.execPath} ${join(root, 'src', 'cli', 'main.ts')}`,
    key,
    ...inputs,
  }
  const [step] = action.runs.steps
  const values = Object.entries(step.env as { [name: string]: string }).map(([name, expression]) => {
    const input = /^\$\{\{ inputs\.(\w+) \}\}$/.exec(expression)![1]!
    return [name, given[input] ?? String(action.inputs[input].default)] as const
  })
  for (const name of ['event.json', 'output', 'summary']) writeFileSync(join(cwd, '..', `${event}-${name}`), '')
  const file = (name: string): string => join(cwd, '..', `${event}-${name}`)
  writeFileSync(file('event.json'), JSON.stringify(payload))
  const { exitCode, stdout, stderr } = await runProcess({
    argv: ['sh', '-e', '-c', step.run],
    cwd,
    env: {
      PATH: process.env.PATH!,
      HOME: directory,
      GITHUB_ACTIONS: 'true',
      GITHUB_SERVER_URL: address,
      GITHUB_REPOSITORY: path,
      GITHUB_EVENT_NAME: event,
      GITHUB_EVENT_PATH: file('event.json'),
      GITHUB_OUTPUT: file('output'),
      GITHUB_STEP_SUMMARY: file('summary'),
      GITHUB_SHA: commit,
      RUNNER_TEMP: directory,
      ...Object.fromEntries(values),
    },
  })
  const read = (name: string): string => readFileSync(file(name), 'utf8')
  return { exitCode, said: stdout + stderr, output: read('output'), summary: read('summary') }
}

it('plans a pull request, applies what was merged and finds drift', async () => {
  const { address, path, accounts, near } = placeOfGitHub(double)
  const ask = (method: string, below: string, body?: object): Promise<Answer> =>
    askApi(
      `${address}/api/v3/repos/${path}${below}`,
      { authorization: `Bearer ${accounts.author.token}` },
      { method, body, forbidden: 422 },
    )
  const mine = join(directory, 'mine')
  git(directory, 'clone', '--quiet', near!.url, mine)
  const push = (branch: string, files: { [path: string]: string }): string => {
    git(mine, 'checkout', '--quiet', '-B', branch)
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(mine, name)), { recursive: true })
      writeFileSync(join(mine, name), text)
    }
    git(mine, 'add', '--all')
    git(mine, 'commit', '--quiet', '--message', branch)
    git(mine, 'push', '--quiet', 'origin', branch)
    const commit = git(mine, 'rev-parse', 'HEAD')
    near!.pushed(branch, commit)
    return commit
  }
  push('main', { 'README.md': 'shop\n' })
  const files = { 'base/word': 'one\n', 'app/note': 'app\n', 'web/index.html': 'hello\n' }
  const head = push('first', { 'trueup.yaml': configOf(at), ...files })
  const { number } = await ask('POST', '/pulls', { head: 'first', base: 'main', title: 'First' })
  const payload = { pull_request: { number, head: { sha: head }, base: { ref: 'main' } } }

  const planned = await act(head, 'pull_request', { payload })
  expect(planned.exitCode, planned.said).toBe(0)
  expect(planned.output).toBe('exit-code=2\n')
  expect(planned.summary).toMatch(/3 stacks affected/)
  expect(planned.summary).not.toContain('trueup-vouched')
  const [comment] = await ask('GET', `/issues/${number}/comments`)
  expect(comment.body).toContain('3 stacks affected')

  for (let looks = 0; looks < 100; looks++) if ((await ask('GET', `/pulls/${number}`)).mergeable !== null) break
  const { sha } = await ask('PUT', `/pulls/${number}/merge`, {})
  double.git.forget()
  const applied = await act(sha, 'push', {})
  expect(applied.exitCode, applied.said).toBe(0)
  expect(readFileSync(at('app'), 'utf8')).toBe('one')

  writeFileSync(at('web', 'index.html'), 'tampered\n')
  const drifted = await act(sha, 'schedule', {})
  expect(drifted.exitCode, drifted.said).toBe(1)
  expect(drifted.output).toBe('exit-code=2\n')
}, 120_000)
