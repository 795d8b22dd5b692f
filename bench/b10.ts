import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { openStore } from '../src/store/open.ts'
import { createWorker } from '../src/store/workers/workers.ts'
import { type Agents, percentile, residentBytes, startAgents } from './b10/agents.ts'
import { type Benchmark, type BenchOptions, type BenchOutcome, round } from './harness.ts'
import { type BenchServer, startBenchServer } from './server.ts'

const AGENTS = Number(process.env['TRUEUP_BENCH_AGENTS'] ?? 10_000)
/** Agents that get jobs: each has an environment and a pool of its own. */
const BUSY = Math.min(100, AGENTS)
const RATE = Number(process.env['TRUEUP_BENCH_RATE'] ?? 50)
const SECONDS = 20
const IDLE_MS = 20_000
/** After this long without work V8 has given back what only starting or connecting needed. */
const SETTLE_MS = 40_000
/** Node measures stalls by a timer of this interval, which is in what it tells: a loop that does nothing shows 10.4. */
const TIMER_MS = 10
const AIMS = { p99Ms: 20, kibibytes: 15, stallMs: 10 }

/** Many agents at one server: jobs, a new revision, a restart, and what each costs while nothing happens. */
export const b10: Benchmark = {
  id: 'B10',
  title: `${AGENTS} agents at one server (--agents): a job to one of ${BUSY} ${RATE} times a second, a new revision to all of these, a restart; beside it bare ws sockets`,
  aim: `p99 ≤ ${AIMS.p99Ms} ms, ≤ ${AIMS.kibibytes} KiB an agent, stalls ≤ ${AIMS.stallMs} ms`,
  run,
}

const Drift = z.unknown()
interface Taken {
  stack: string
  commit: string
  kind: string
  at: number
}
const now = (): number => performance.timeOrigin + performance.now()

async function run(options: BenchOptions): Promise<BenchOutcome> {
  const { directory, print } = options
  const agents = startAgents()
  let server: BenchServer | undefined
  try {
    const workers = await enrolAll(directory, await agents.ask<{ [member: string]: string }>({ do: 'key' }))
    server = await startBenchServer(directory, join(directory, 'none'))
    const port = new URL(server.url).port
    await sleep(SETTLE_MS)
    const empty = residentBytes(server.pid)
    const [began, cpuBefore] = [now(), server.cpuSeconds()]
    await agents.ask({ do: 'connect', url: server.url, workers })
    const connectMs = now() - began
    const connectCpuMs = ((server.cpuSeconds() - cpuBefore) * 1000) / AGENTS
    await sleep(2_000)
    const atOnce = (residentBytes(server.pid) - empty) / AGENTS
    print(
      `${AGENTS} connected in ${round(connectMs / 1000)} s, ${round(connectCpuMs, 1)} CPU-ms and at first ${round(atOnce / 1024, 1)} KiB each`,
    )
    await longestStall(server)
    const idleFrom = server.cpuSeconds()
    await sleep(IDLE_MS)
    const idle = (server.cpuSeconds() - idleFrom) / (IDLE_MS / 1000)
    const restMs = await longestStall(server)
    await sleep(Math.max(0, SETTLE_MS - IDLE_MS))
    const perAgent = (residentBytes(server.pid) - empty) / AGENTS
    print(`idle: ${round(idle * 100, 1)} % of a core, ${round(perAgent / 1024, 1)} KiB each`)

    const broadcastMs = await revision(server, directory, agents)
    print(`a new revision at ${BUSY} agents: all of them have it after ${round(broadcastMs)} ms`)
    const jobsFrom = server.cpuSeconds()
    const times = await dispatch(server, agents)
    const jobCpuMs = ((server.cpuSeconds() - jobsFrom) * 1000) / (RATE * SECONDS)
    const [p50, p99] = [percentile(times, 0.5), percentile(times, 0.99)]
    print(
      `${times.length} jobs at ${RATE}/s: p50 ${round(p50, 1)} ms, p99 ${round(p99, 1)} ms, ${round(jobCpuMs, 1)} CPU-ms each`,
    )

    await server.stop()
    const down = now()
    server = await startBenchServer(directory, join(directory, 'none'), port)
    // Forgets how long it stood still while it was read and compiled, before anybody could reach it.
    await longestStall(server)
    while ((await agents.ask<number>({ do: 'watch' })) < AGENTS) await sleep(100)
    const stormMs = now() - down
    const stallMs = await longestStall(server)
    print(
      `after a restart all are back in ${round(stormMs / 1000)} s; longest stall ${round(stallMs)} ms; ${round(restMs)} ms at rest`,
    )
    const peer = await bare(print)
    return {
      cpuRatio: null,
      wallRatio: round(p99 / peer.p99, 1),
      met: p99 <= AIMS.p99Ms && perAgent / 1024 <= AIMS.kibibytes && stallMs - TIMER_MS <= AIMS.stallMs,
      pairs: 1,
      details: {
        agents: AGENTS,
        p50Ms: round(p50, 1),
        p99Ms: round(p99, 1),
        kibibytesPerAgent: round(perAgent / 1024, 1),
        kibibytesAtFirst: round(atOnce / 1024, 1),
        idleCores: round(idle, 3),
        connectCpuMs: round(connectCpuMs, 2),
        jobCpuMs: round(jobCpuMs, 1),
        jobsTaken: times.length,
        connectSeconds: round(connectMs / 1000, 1),
        broadcastMs: round(broadcastMs),
        stormSeconds: round(stormMs / 1000, 1),
        longestStallMs: round(stallMs),
        longestAtRestMs: round(restMs),
        peerP99Ms: round(peer.p99, 2),
        peerKibibytes: round(peer.kibibytes, 1),
      },
    }
  } finally {
    agents.close()
    await server?.stop()
  }
}

/** Written beside a stopped server: ten thousand enrolments over the API are another benchmark. */
async function enrolAll(directory: string, publicKey: { [member: string]: string }): Promise<string[]> {
  await (await startBenchServer(directory, join(directory, 'none'))).stop()
  const store = await openStore(join(directory, 'data'))
  try {
    return await store.transaction(async (tx) => {
      const ids: string[] = []
      for (let at = 0; at < AGENTS; at++) {
        const about = { name: `edge-${at}`, kind: 'agent' as const, pools: [`edge-${at}`], builtin: false, publicKey }
        ids.push((await createWorker(tx, about)).id)
      }
      return ids
    })
  } finally {
    await store.close()
  }
}

/** The first push: from its end until each of the busy agents holds the grant of its stack. */
async function revision(server: BenchServer, directory: string, agents: Agents): Promise<number> {
  await server.admin.send('POST', '/api/v1/repositories', z.unknown(), { name: 'bench' })
  const clone = join(directory, 'clone')
  mkdirSync(join(clone, 'web'), { recursive: true })
  const names = Array.from({ length: BUSY }, (_, at) => `e${at}`)
  const environments = Object.fromEntries(
    names.map((name, at) => [name, { workers: `edge-${at}`, drift: { interval: '1d' } }]),
  )
  const stacks = [{ path: 'web', driver: 'files', environments: names, with: { target: '/nonexistent' } }]
  writeFileSync(join(clone, 'trueup.yaml'), JSON.stringify({ version: 1, environments, stacks }))
  writeFileSync(join(clone, 'web', 'motd'), 'one\n')
  const header = `http.extraHeader=Authorization: Basic ${Buffer.from(`x:${server.adminToken}`).toString('base64')}`
  const git = (...argv: string[]): unknown =>
    execFileSync('git', ['-c', 'user.name=B', '-c', 'user.email=b@example.test', '-c', header, ...argv], {
      cwd: clone,
      stdio: ['ignore', 'ignore', 'inherit'],
    })
  git('init', '-q', '-b', 'main')
  git('add', '.')
  git('commit', '-qm', 'Begin')
  git('push', '-q', `${server.url}/git/bench.git`, 'main')
  const pushed = now()
  const seen = new Map<string, number>()
  while (seen.size < BUSY) {
    for (const { stack, at, kind } of await agents.ask<Taken[]>({ do: 'taken' }))
      if (kind === 'deploy') seen.set(stack, at)
    await sleep(20)
  }
  await sleep(2_000)
  return Math.max(...seen.values()) - pushed
}

/** Open loop: a check is asked for when it is due, whatever became of the ones before. From the request to the grant. */
async function dispatch(server: BenchServer, agents: Agents): Promise<number[]> {
  await agents.ask({ do: 'taken' })
  const asked = new Map<string, number>()
  const times: number[] = []
  const collect = async (): Promise<void> => {
    for (const { stack, at, kind } of await agents.ask<Taken[]>({ do: 'taken' })) {
      const began = asked.get(stack)
      if (kind !== 'drift' || began === undefined) continue
      asked.delete(stack)
      times.push(at - began)
    }
  }
  const sending: Promise<unknown>[] = []
  const from = now()
  for (let job = 0; job < RATE * SECONDS; job++) {
    const due = from + (job * 1_000) / RATE
    await sleep(Math.max(0, due - now()))
    const stack = `e${job % BUSY}/web`
    asked.set(stack, due)
    sending.push(server.admin.send('POST', '/api/v1/repositories/bench/drift/checks', Drift, { stack }))
    if (job % 25 === 24) await collect()
  }
  await Promise.allSettled(sending)
  await sleep(2_000)
  await collect()
  return times
}

/** The longest that the server's event loop has stood still since the last look, milliseconds: 10 of them are its timer's own. */
async function longestStall(server: BenchServer): Promise<number> {
  const text = await (await fetch(`${server.url}/metrics`)).text()
  return Number(/^trueup_nodejs_eventloop_lag_max_seconds ([\d.e-]+)$/m.exec(text)?.[1] ?? Number.NaN) * 1_000
}

/** The same number of sockets of the bare library, and a word to one of them. */
async function bare(print: (line: string) => void): Promise<{ p99: number; kibibytes: number }> {
  const [server, clients] = [startAgents(), startAgents()]
  try {
    const url = await server.ask<string>({ do: 'peer-serve' })
    const empty = residentBytes(server.pid)
    await clients.ask({ do: 'peer-connect', url, count: AGENTS })
    const kibibytes = (residentBytes(server.pid) - empty) / AGENTS / 1024
    const p99 = percentile(await clients.ask<number[]>({ do: 'peer-dispatch', count: 200 }), 0.99)
    print(`bare ws: p99 ${round(p99)} ms, ${round(kibibytes, 1)} KiB a socket`)
    return { p99, kibibytes }
  } finally {
    server.close()
    clients.close()
  }
}
