import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import type { MrDetail } from '../src/server/schemas/merge-requests.ts'
import { Stack } from '../src/server/schemas/stacks.ts'
import { baseEnvironment, type Benchmark, type BenchOptions, type BenchOutcome, round, spread } from './harness.ts'
import { fillStore, type StoreSize } from './large-store.ts'
import { type BenchServer, startBenchServer } from './server.ts'

const AIM_MS = 10
const SMALL: StoreSize = { runs: 1_000, stacks: 100 }
const number = (name: string, otherwise: number): number => Number(process.env[name] ?? otherwise)
const LARGE: StoreSize = {
  runs: number('TRUEUP_BENCH_RUNS', 1_000_000),
  stacks: number('TRUEUP_BENCH_STACKS', 10_000),
}
/** Requests of one path in a row: what is counted of a process comes in steps of a few milliseconds. */
const AT_ONCE = 20

const REPOSITORY = '/api/v1/repositories/shop'

/** Every list, page and status that a person looks at. */
const PATHS = [
  `${REPOSITORY}/runs`,
  `${REPOSITORY}/runs?state=failed`,
  `${REPOSITORY}/runs?state=queued`,
  `${REPOSITORY}/runs?kind=deploy`,
  `${REPOSITORY}/runs?kind=heal&state=failed`,
  `${REPOSITORY}/runs?stackId=STACK`,
  `${REPOSITORY}/runs?stackId=STACK&state=failed`,
  `${REPOSITORY}/stacks`,
  `${REPOSITORY}/stacks?state=failed`,
  `${REPOSITORY}/stacks?environment=production&state=orphaned`,
  `${REPOSITORY}/stack?stack=STACKKEY`,
  `${REPOSITORY}/overview`,
  `${REPOSITORY}/matrix`,
  `${REPOSITORY}/matrix?sort=need`,
  `${REPOSITORY}/matrix?q=99`,
  `${REPOSITORY}/deployments`,
  `${REPOSITORY}/deployments?stack=STACKKEY`,
  `${REPOSITORY}/delivery`,
  `${REPOSITORY}/drift`,
  `${REPOSITORY}/drift?state=all`,
  `${REPOSITORY}/drift?environment=production`,
  `${REPOSITORY}/merge-requests`,
  `${REPOSITORY}/merge-requests?state=all`,
  `${REPOSITORY}/merge-requests?state=closed`,
  `${REPOSITORY}/environments`,
  `${REPOSITORY}/quarantine`,
  `${REPOSITORY}/audit`,
  '/api/v1/audit',
  '/api/v1/audit?actor=admin',
  '/api/v1/audit?actor=user:user_of_the_bench',
  '/api/v1/audit?action=mr.merge',
  '/api/v1/audit?action=mr.',
  '/api/v1/audit?until=NOW',
  '/api/v1/workers',
  '/api/v1/repositories',
  '/metrics',
]

/** What it costs to look at a store with a long history. */
export const b16: Benchmark = {
  id: 'B16',
  title: `each list, page and status with ${LARGE.runs} runs and ${LARGE.stacks} stacks (TRUEUP_BENCH_RUNS, TRUEUP_BENCH_STACKS)`,
  aim: `≤ ${AIM_MS} ms CPU each`,
  run,
}

async function run(options: BenchOptions): Promise<BenchOutcome> {
  const small = await costs(join(options.directory, 'small'), SMALL, options)
  const large = await costs(join(options.directory, 'large'), LARGE, options)
  const ratios = PATHS.map((path) => large.get(path)! / Math.max(small.get(path)!, 0.5))
  for (const [at, path] of PATHS.entries())
    options.print(`${large.get(path)!.toFixed(1).padStart(7)} ms  ${ratios[at]!.toFixed(1).padStart(5)}×  ${path}`)
  const [worst] = PATHS.toSorted((a, b) => large.get(b)! - large.get(a)!)
  const over = PATHS.filter((path) => large.get(path)! > AIM_MS)
  return {
    cpuRatio: round(spread(ratios).median),
    wallRatio: null,
    met: over.length === 0,
    pairs: options.pairs,
    details: { worst: worst!, worstMs: round(large.get(worst!)!, 1), overAim: over.length, paths: PATHS.length },
  }
}

/** Milliseconds of CPU of the server for each path: the median of some rounds. */
async function costs(directory: string, size: StoreSize, { pairs, print }: BenchOptions): Promise<Map<string, number>> {
  mkdirSync(directory, { recursive: true })
  await beginShop(directory)
  const since = performance.now()
  fillStore(join(directory, 'data', 'trueup.db'), size)
  print(`${size.runs} runs and ${size.stacks} stacks made in ${((performance.now() - since) / 1000).toFixed(1)} s`)
  const server = await startBenchServer(directory, '')
  try {
    const [stack] = (
      await server.admin.get(`${REPOSITORY}/stacks?limit=1&state=failed`, z.object({ items: z.array(Stack) }))
    ).items
    const pathOf = (path: string): string =>
      path
        .replace('STACKKEY', `${stack!.environment}/${stack!.name}`)
        .replace('STACK', stack!.id)
        .replace('NOW', String(Date.now() - 86_400_000))
    const found = new Map<string, number[]>()
    for (let round = 0; round <= pairs; round++)
      for (const path of PATHS) {
        const before = server.cpuSeconds()
        for (let time = 0; time < AT_ONCE; time++) await ask(server, pathOf(path))
        const milliseconds = ((server.cpuSeconds() - before) * 1000) / AT_ONCE
        // The first round warms it up.
        if (round > 0) found.set(path, [...(found.get(path) ?? []), milliseconds])
      }
    return new Map([...found].map(([path, each]) => [path, spread(each).median]))
  } finally {
    await server.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}

async function ask(server: BenchServer, path: string): Promise<void> {
  const response = await fetch(`${server.url}${path}`, { headers: { authorization: `Bearer ${server.adminToken}` } })
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
  await response.arrayBuffer()
}

/** A server with one repository, one deployed stack and one merge request, stopped again: what is copied. */
export async function beginShop(directory: string): Promise<void> {
  const server = await startBenchServer(directory, '')
  try {
    const made = await server.admin.send('POST', '/api/v1/repositories', z.object({ gitUrl: z.string() }), {
      name: 'shop',
    })
    const clone = join(directory, 'clone')
    const git = gitIn(clone, server.adminToken)
    git('init', '--quiet', '--initial-branch', 'main')
    git('remote', 'add', 'origin', made.gitUrl)
    const target = join(directory, 'target')
    mkdirSync(target)
    write(join(clone, 'trueup.yaml'), configOf(target))
    write(join(clone, 'web/index.html'), 'hello\n')
    git('add', '--all')
    git('commit', '--quiet', '--message', 'Begin')
    git('push', '--quiet', 'origin', 'main')
    await until(async () => {
      const { items } = await server.admin.get(`${REPOSITORY}/stacks`, z.object({ items: z.array(Stack) }))
      return items.some(({ state, observed }) => state === 'in_sync' && observed.at !== null)
    })
    git('switch', '--quiet', '--create', 'change')
    write(join(clone, 'web/index.html'), 'hello again\n')
    git('commit', '--quiet', '--all', '--message', 'Change')
    git('push', '--quiet', '--push-option', 'mr', 'origin', 'change')
    await until(async () => {
      const path = `${REPOSITORY}/merge-requests/1`
      const mr = await server.admin.get(path, z.looseObject({ planned: z.boolean() })).catch(() => null)
      return (mr as Pick<MrDetail, 'planned'> | null)?.planned === true
    })
  } finally {
    await server.stop()
  }
}

const configOf = (target: string): string => `version: 1
environments:
  development: { tier: development, drift: { mode: observe, interval: 24h } }
  staging: { tier: staging, drift: { mode: observe, interval: 24h } }
  production: { tier: production, drift: { mode: observe, interval: 24h } }
stacks:
  - path: web
    driver: files
    environments: [development]
    with: { target: ${target} }
`

function write(file: string, content: string): void {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, content)
}

export function gitIn(cwd: string, token: string): (...argv: string[]) => string {
  mkdirSync(cwd, { recursive: true })
  const env = {
    ...baseEnvironment(),
    GIT_TERMINAL_PROMPT: '0',
    GIT_AUTHOR_NAME: 'Bench',
    GIT_AUTHOR_EMAIL: 'bench@example.test',
    GIT_COMMITTER_NAME: 'Bench',
    GIT_COMMITTER_EMAIL: 'bench@example.test',
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: 'http.extraHeader',
    GIT_CONFIG_VALUE_0: `Authorization: Basic ${Buffer.from(`admin:${token}`).toString('base64')}`,
  }
  return (...argv) => execFileSync('git', argv, { cwd, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 300_000; !(await isSo()); await new Promise((resolve) => setTimeout(resolve, 200)))
    if (Date.now() > end) throw new Error('the server did not get ready')
}
