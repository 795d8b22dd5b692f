import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { gitIn } from './b16.ts'
import { type Benchmark, type BenchOptions, type BenchOutcome, round, spread } from './harness.ts'
import { type BenchServer, startBenchServer } from './server.ts'

const STACKS = Number(process.env.TRUEUP_BENCH_STACKS ?? 5_000)
const AIM = (1.5 * STACKS) / 5_000
const REPOSITORY = '/api/v1/repositories/shop'

/** What a push of many stacks costs the server until all of them are ordered. */
export const b17: Benchmark = {
  id: 'B17',
  title: `a push of ${STACKS} stacks until every deployment is ordered (TRUEUP_BENCH_STACKS, --stacks)`,
  aim: `≤ ${AIM} CPU-s`,
  run,
}

async function run(options: BenchOptions): Promise<BenchOutcome> {
  const seconds: number[] = []
  for (let pair = 1; pair <= options.pairs; pair++) {
    const cpu = await pushed(join(options.directory, `round-${pair}`))
    options.print(`push ${pair}: ${cpu.toFixed(2)} CPU-s`)
    seconds.push(cpu)
  }
  const { median } = spread(seconds)
  return {
    cpuRatio: null,
    wallRatio: null,
    met: median <= AIM,
    pairs: options.pairs,
    details: { cpuSeconds: round(median, 2), stacks: STACKS },
  }
}

/** CPU-seconds of the server, its git process and git. No worker takes the runs: their pool has none. */
async function pushed(directory: string): Promise<number> {
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
    const before = server.cpuSeconds()
    git('push', '--quiet', 'origin', 'main')
    await ordered(server)
    return server.cpuSeconds() - before
  } finally {
    await server.stop()
    execFileSync('rm', ['-rf', directory])
  }
}

const CONFIG = `version: 1
environments:
  development: { tier: development, drift: { mode: observe, interval: 24h } }
stacks:
  - path: apps/*
    driver: command
    pool: nobody
    with: { plan: 'true', apply: 'true' }
`

/** Asks seldom: what the asking costs is the server's, too. */
async function ordered({ admin }: BenchServer): Promise<void> {
  const Events = z.object({ items: z.array(z.looseObject({ action: z.string() })) })
  for (let left = 1_200; left > 0; left--) {
    const { items } = await admin.get(`${REPOSITORY}/audit?action=deploy.ordered&limit=1`, Events)
    if (items.length > 0) return
    await new Promise((resolve) => setTimeout(resolve, 250))
  }
  throw new Error('the stacks were not ordered')
}
