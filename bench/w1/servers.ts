import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { startServer } from '../../src/server/start.ts'
import { ask, type TestAnswer } from '../../src/server/testing/app.ts'
import { until } from '../../src/server/testing/live.ts'
import { DATABASE_FILE } from '../../src/store/store.ts'
import { fillStore } from '../large-store.ts'

export const STACKS = 10_000
export const PLANS = 200
export const FILES = 3_000
export const LOG_LINES = 100_000
/** All plans of a merge request, on a machine that does other things too. */
const PATIENCE_MS = 900_000

/** A server with one repository, `shop`, that a clone of it has pushed to. */
interface Pushed {
  url: string
  /** A link that logs a person in, once. */
  linkFor(user: string): Promise<string>
  shop(method: string, path: string, body?: unknown): Promise<TestAnswer>
  push: (branch: string, files: { [path: string]: string }) => Promise<void>
  close(): Promise<void>
}

async function openServer(directory: string, runnerSlots: number): Promise<Omit<Pushed, 'push'> & { token: string }> {
  const server = await startServer({ dataDir: join(directory, 'data'), port: 0, logLevel: 'silent', runnerSlots })
  const token = readFileSync(join(directory, 'data', 'admin.token'), 'utf8').trim()
  const request = (method: string, path: string, body?: unknown) => ask(server.url, token, method, path, body)
  return {
    url: server.url,
    token,
    linkFor: async (user) => (await request('POST', '/api/v1/session/links', { user })).body.url,
    shop: (method, path, body) => request(method, `/api/v1/repositories/shop${path}`, body),
    close: () => server.close(),
  }
}

async function startPushed(directory: string, runnerSlots: number): Promise<Pushed> {
  mkdirSync(directory)
  const server = await openServer(directory, runnerSlots)
  await ask(server.url, server.token, 'POST', '/api/v1/repositories', { name: 'shop' })
  const clone = join(directory, 'clone')
  mkdirSync(clone)
  const login = `http.extraHeader=Authorization: Basic ${Buffer.from(`x:${server.token}`).toString('base64')}`
  const names = ['-c', 'user.name=Bench', '-c', 'user.email=bench@example.org', '-c', login]
  // Not in one go with this process: the server that it pushes to is in it.
  const git = (...argv: string[]) => promisify(execFile)('git', [...names, ...argv], { cwd: clone })
  await git('init', '--quiet', '--initial-branch', 'main')
  return {
    ...server,
    async push(branch, files) {
      if (branch !== 'main') await git('switch', '--quiet', '--create', branch)
      for (const [path, content] of Object.entries(files)) {
        mkdirSync(dirname(join(clone, path)), { recursive: true })
        writeFileSync(join(clone, path), content)
      }
      await git('add', '--all')
      await git('commit', '--quiet', '--message', branch)
      await git('push', '--quiet', `${server.url}/git/shop.git`, branch)
    },
  }
}

/** A server without a runner whose store has so many stacks in every state, with their runs and deployments. */
export async function startEstate(directory: string, stacks = STACKS): Promise<Pushed & { path: string }> {
  const begun = await startPushed(directory, 1)
  await begun.push('main', { 'trueup.yaml': rules('[]') })
  await begun.push('one', {
    'trueup.yaml': rules('[{ path: app, driver: command, with: { plan: "exit 2", apply: "true" } }]'),
    'app/app.txt': 'x\n',
  })
  const { body: made } = await begun.shop('POST', '/merge-requests', {
    sourceBranch: 'one',
    title: 'The first of them',
  })
  const mr = () => begun.shop('GET', `/merge-requests/${made.number}`).then(({ body }) => body)
  await until(mr, ({ mergeable }) => mergeable, PATIENCE_MS)
  await begun.shop('POST', `/merge-requests/${made.number}/merge`, {})
  const runs = () => begun.shop('GET', '/runs?kind=deploy&state=succeeded').then(({ body }) => body.items)
  await until(runs, ({ length }) => length === 1, PATIENCE_MS)
  await begun.close()
  fillStore(join(directory, 'data', DATABASE_FILE), { runs: 5 * stacks, stacks })
  return { ...(await openServer(directory, 0)), push: begun.push, path: '/r/shop' }
}

/** A server with a merge request of 3,000 files and 200 plans, one of which has printed 100,000 lines. */
export async function startLarge(directory: string): Promise<Pushed & { mr: string; run: string }> {
  const server = await startPushed(directory, 2)
  await server.push('main', { 'trueup.yaml': rules('[]') })
  const files: { [path: string]: string } = {
    'trueup.yaml': rules('[{ path: "apps/*", driver: command, with: { plan: "sh plan.sh", apply: "true" } }]'),
  }
  for (let stack = 0; stack < PLANS; stack++) {
    const path = `apps/service-${String(stack).padStart(3, '0')}`
    const says = stack === 0 ? `seq -f 'line %.0f of a long log' ${LOG_LINES}` : 'echo would bring it up to date'
    files[`${path}/plan.sh`] = `${says}\nexit 2\n`
    for (let file = 1; file < FILES / PLANS; file++)
      files[`${path}/part-${file}.yaml`] = `part: ${file}\nof: ${stack}\n`
  }
  await server.push('large', files)
  const { body: made } = await server.shop('POST', '/merge-requests', { sourceBranch: 'large', title: 'All of it' })
  const shown = () => server.shop('GET', `/merge-requests/${made.number}`).then(({ body }) => body)
  const mr = await until(shown, ({ planned }) => planned, PATIENCE_MS)
  const first = mr.stacks.find(({ stack }: { stack: string }) => stack.endsWith('service-000'))
  return { ...server, mr: `/r/shop/mr/${made.number}`, run: `/r/shop/runs/${first.run}` }
}

const rules = (stacks: string): string => `version: 1
environments: { staging: { tier: staging } }
stacks: ${stacks}
`
