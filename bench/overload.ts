import { join } from 'node:path'
import { z } from 'zod'
import { beginShop } from './b16.ts'
import { type Benchmark, type BenchOptions, type BenchOutcome, round, spread } from './harness.ts'
import { fillStore } from './large-store.ts'
import { putLoad } from './overload/load.ts'
import { type BenchServer, startBenchServer } from './server.ts'

const REPOSITORY = '/api/v1/repositories/shop'
/** What a page that somebody opens asks for. */
const PATHS = ['overview', 'matrix', 'stacks?limit=200', 'runs?limit=200', 'merge-requests'].map(
  (path) => `${REPOSITORY}/${path}`,
)
const PEOPLE = 40
/** Offered load, in capacities of the server. */
const STEPS = [1, 2, 5, 10, 20]
const PATIENCE_MS = 10_000
/** CPU-seconds of work before anything is measured. */
const WARM_CPU_SECONDS = 6
const SECONDS = Number(process.env.TRUEUP_BENCH_SECONDS ?? 10)
/** A curve is flat when the worst step has this share of the useful answers of the best one. */
const FLAT = 0.8

/** Useful answers against offered load. */
export const overload: Benchmark = {
  id: 'OVERLOAD',
  title: `useful answers a second of the server at ${STEPS.join(', ')} times its capacity, ${PEOPLE} people (TRUEUP_BENCH_SECONDS a step)`,
  aim: `at every load ≥ ${FLAT} of the best, in answers for a CPU-second of the server`,
  run,
}

interface Step {
  load: number
  offered: number
  /** Useful answers a second, and for a CPU-second of the server. */
  useful: number
  forCpu: number
  refused: number
  late: number
  failed: number
  /** Of the useful answers, milliseconds. */
  p50: number
  /** How far the clients were behind their clock, milliseconds: where it is long, they and not the server were too slow. */
  lagMs: number
  /** Of a probe that asks meanwhile, milliseconds, the longest. */
  probeMs: number
}

async function run(options: BenchOptions): Promise<BenchOutcome> {
  await beginShop(options.directory)
  fillStore(join(options.directory, 'data', 'trueup.db'), { runs: 20_000, stacks: 2_000 })
  const server = await startBenchServer(options.directory, '')
  try {
    const tokens = await tokensOf(server)
    const capacity = await capacityOf(server, tokens)
    options.print(`capacity: ${capacity.toFixed(0)} answers a second, all of one process that others leave alone`)
    const steps: Step[] = []
    for (const load of STEPS) {
      const step = await stepAt(server, tokens, { load, capacity })
      steps.push(step)
      options.print(describe(step))
    }
    const best = Math.max(...steps.map(({ forCpu }) => forCpu))
    const worst = Math.min(...steps.map(({ forCpu }) => forCpu))
    const details = Object.fromEntries(
      steps.flatMap(({ load, useful, forCpu, refused, late, probeMs, lagMs }) => [
        [`useful${load}x`, round(useful, 1)],
        [`forCpu${load}x`, round(forCpu, 1)],
        [`refused${load}x`, refused],
        [`late${load}x`, late],
        [`probeMs${load}x`, round(probeMs, 0)],
        [`lagMs${load}x`, round(lagMs, 0)],
      ]),
    )
    return {
      cpuRatio: round(best / worst),
      wallRatio: null,
      met: worst / best >= FLAT,
      pairs: 1,
      details: { capacity: round(capacity, 1), ...details },
    }
  } finally {
    await server.stop()
  }
}

async function tokensOf({ admin }: BenchServer): Promise<string[]> {
  const tokens: string[] = []
  for (let at = 0; at < PEOPLE; at++) {
    const user = `person-${at}`
    await admin.send('POST', '/api/v1/users', z.unknown(), { name: user, email: `${user}@example.test`, kind: 'admin' })
    const made = await admin.send('POST', '/api/v1/tokens', z.object({ token: z.string() }), {
      user,
      name: 'bench',
      scopes: ['read'],
    })
    tokens.push(made.token)
  }
  return tokens
}

/** Answers a second of a server that has all it can do and nobody waiting: as many at once as it takes. */
async function capacityOf(server: BenchServer, tokens: string[]): Promise<number> {
  const ask = async (at: number): Promise<void> => {
    const response = await fetch(`${server.url}${PATHS[at % PATHS.length]!}`, {
      headers: { authorization: `Bearer ${tokens[at % tokens.length]!}` },
    })
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`)
    await response.arrayBuffer()
  }
  let asked = 0
  const until = async (end: number): Promise<void> => {
    while (performance.now() < end) await ask(asked++)
  }
  const all = (end: number): Promise<void[]> => Promise.all(Array.from({ length: 8 }, () => until(end)))
  // What Node has not compiled yet costs five times as much: that is not its capacity.
  for (const from = server.cpuSeconds(); server.cpuSeconds() - from < WARM_CPU_SECONDS; )
    await all(performance.now() + 500)
  asked = 0
  const cpu = server.cpuSeconds()
  await all(performance.now() + SECONDS * 500)
  return asked / (server.cpuSeconds() - cpu)
}

async function stepAt(
  server: BenchServer,
  tokens: string[],
  { load, capacity }: { load: number; capacity: number },
): Promise<Step> {
  const cpu = server.cpuSeconds()
  const probes = probing(server)
  const begun = performance.now()
  const { url } = server
  const report = await putLoad({
    url,
    tokens,
    paths: PATHS,
    perSecond: capacity * load,
    seconds: SECONDS,
    patienceMs: PATIENCE_MS,
  })
  const seconds = (performance.now() - begun) / 1000
  const probeMs = await probes.stop()
  const { useful, refused, late, failed, milliseconds, lagMs } = report
  const p50 = milliseconds.length === 0 ? 0 : spread(milliseconds).median
  const forCpu = useful / (server.cpuSeconds() - cpu)
  const offered = report.sent / SECONDS
  return { load, offered, useful: useful / seconds, forCpu, refused, late, failed, p50, lagMs, probeMs }
}

/** Asks every quarter of a second whether the server lives, as a probe does. */
function probing({ url }: BenchServer): { stop(): Promise<number> } {
  let stopped = false
  let longest = 0
  const done = (async () => {
    while (!stopped) {
      const begun = performance.now()
      await (await fetch(`${url}/healthz`)).arrayBuffer()
      longest = Math.max(longest, performance.now() - begun)
      await new Promise((resolve) => setTimeout(resolve, 250))
    }
  })()
  return {
    async stop() {
      stopped = true
      await done
      return longest
    },
  }
}

const describe = ({ load, offered, useful, forCpu, refused, late, failed, p50, lagMs, probeMs }: Step): string =>
  `${String(load).padStart(2)}×  ${offered.toFixed(0).padStart(5)} asked a second  ${useful.toFixed(1).padStart(6)} useful a second  ` +
  `${forCpu.toFixed(1).padStart(6)} for a CPU-second  refused ${refused}  given up ${late}  failed ${failed}  ` +
  `median ${p50.toFixed(0)} ms  probe at most ${probeMs.toFixed(0)} ms  clients behind ${lagMs.toFixed(0)} ms`
