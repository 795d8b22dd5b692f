import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { z } from 'zod'
import { gitIn } from './b16.ts'
import { type Benchmark, type BenchOptions, type BenchOutcome, round, spread } from './harness.ts'
import { type BenchServer, startBenchServer } from './server.ts'

const STACKS = Number(process.env.TRUEUP_BENCH_STACKS ?? 5_000)
const AIM = (1.5 * STACKS) / 5_000
const AIM_STALL_MS = 50
const REPOSITORY = '/api/v1/repositories/shop'

/** What a push of many stacks costs the server until all of them are ordered. */
export const b17: Benchmark = {
  id: 'B17',
  title: `a push of ${STACKS} stacks until every deployment is ordered (TRUEUP_BENCH_STACKS, --stacks)`,
  aim: `≤ ${AIM} CPU-s, no stall of the event loop > ${AIM_STALL_MS} ms`,
  run,
}

async function run(options: BenchOptions): Promise<BenchOutcome> {
  const seconds: number[] = []
  const stalls: number[] = []
  for (let pair = 1; pair <= options.pairs; pair++) {
    const { cpu, stallMs } = await pushed(join(options.directory, `round-${pair}`))
    options.print(`push ${pair}: ${cpu.toFixed(2)} CPU-s, longest stall ${stallMs.toFixed(0)} ms`)
    seconds.push(cpu)
    stalls.push(stallMs)
  }
  const { median } = spread(seconds)
  const stallMs = spread(stalls).median
  return {
    cpuRatio: null,
    wallRatio: null,
    met: median <= AIM && stallMs <= AIM_STALL_MS,
    pairs: options.pairs,
    details: { cpuSeconds: round(median, 2), stallMs: round(stallMs, 0), stacks: STACKS },
  }
}

/** CPU-seconds of the server, its git process and git. No worker takes the runs: their pool has none. */
async function pushed(directory: string): Promise<{ cpu: number; stallMs: number }> {
  mkdirSync(directory)
  const server = await startBenchServer(directory, '')
  try {
    const made = await server.admin.send('POST', '/api/v1/repositories', z.object({ gitUrl: z.string() }), {
      name: 'shop',
    })
    const clone = join(directory, 'clone')
    const git = gitIn(clone, server.adminToken)
    git('init', '--quiet', '--initial-branch', 'main')
    for (let stack = 0; stack < STACKS; stack++) {
      const path = join(clone, 'apps', String(stack).padStart(5, '0'))
      mkdirSync(path, { recursive: true })
      writeFileSync(join(path, 'value'), `${stack}\n`)
    }
    writeFileSync(join(clone, 'trueup.yaml'), CONFIG)
    git('add', '--all')
    git('commit', '--quiet', '--message', 'Begin')
    git('remote', 'add', 'origin', made.gitUrl)
    await longestStall(server)
    const before = server.cpuSeconds()
    git('push', '--quiet', 'origin', 'main')
    await ordered(server, git('rev-parse', 'HEAD').trim())
    const cpu = server.cpuSeconds() - before
    const stallMs = await longestStall(server)
    const { runs } = runsOf(join(directory, 'data', 'trueup.db'))
    if (runs !== STACKS) throw new Error(`${runs} of ${STACKS} deployments were ordered`)
    return { cpu, stallMs }
  } finally {
    await server.stop()
    execFileSync('rm', ['-rf', directory])
  }
}

function runsOf(file: string): { runs: number } {
  const db = new DatabaseSync(file, { readOnly: true })
  try {
    return db.prepare(`select count(*) as "runs" from "runs" where "kind" = 'deploy'`).get() as { runs: number }
  } finally {
    db.close()
  }
}

/** How long the event loop did not turn at most, milliseconds, since this was asked before. */
async function longestStall({ url, adminToken }: BenchServer): Promise<number> {
  const headers = { authorization: `Bearer ${adminToken}` }
  const text = await (await fetch(`${url}/metrics`, { headers })).text()
  const [, seconds] = /^trueup_nodejs_eventloop_lag_max_seconds (\S+)$/m.exec(text) ?? []
  if (seconds === undefined) throw new Error(`the metrics tell no lag of the event loop:\n${text.slice(0, 500)}`)
  return Number(seconds) * 1000
}

const CONFIG = `version: 1
environments:
  development: { tier: development, workers: nobody, drift: { mode: observe, interval: 24h } }
stacks:
  - path: apps/*
    driver: command
    with: { plan: 'true', apply: 'true' }
`

/** Asks seldom: what the asking costs is the server's, too. */
async function ordered({ admin }: BenchServer, commit: string): Promise<void> {
  const Events = z.object({ items: z.array(z.looseObject({ action: z.string() })) })
  for (let left = 1_200; left > 0; left--) {
    const { items } = await admin.get(`${REPOSITORY}/audit?action=deploy.ordered&limit=1`, Events)
    if (JSON.stringify(items).includes(commit)) return
    await new Promise((resolve) => setTimeout(resolve, 250))
  }
  throw new Error('the stacks were not ordered')
}
