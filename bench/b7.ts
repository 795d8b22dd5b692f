import { spawn } from 'node:child_process'
import {
  type BenchOptions,
  type BenchOutcome,
  type Benchmark,
  describeSpread,
  round,
  runContestant,
  type Spread,
  spread,
} from './harness.ts'
import { environmentOf, type KubeWorld, onCluster, peers, program, sizeFrom } from './kube/world.ts'
import { runWindow } from './window.ts'

const OBJECTS = sizeFrom('TRUEUP_BENCH_OBJECTS', 1000)
const EDITS = sizeFrom('TRUEUP_BENCH_EDITS', 60)
const PAUSE_MS = 200
const AIM_P50 = 50
const AIM_P99 = 250

/** From an edit by hand to the healed object, as another watch sees it. */
export const b7: Benchmark = {
  id: 'B7',
  title: `drift → healed, ${EDITS} edits of ${OBJECTS} objects, one every ${PAUSE_MS} ms (TRUEUP_BENCH_OBJECTS, TRUEUP_BENCH_EDITS)`,
  aim: `p50 ≤ ${AIM_P50} ms, p99 ≤ ${AIM_P99} ms`,
  run,
}

function run(options: BenchOptions): Promise<BenchOutcome> {
  const files = {
    'maps.yaml': Array.from({ length: OBJECTS }, (_, i) => map(i)).join('---\n'),
  }
  return onCluster(options, files, (world) => edit(world, options))
}

async function edit(world: KubeWorld, options: BenchOptions): Promise<BenchOutcome> {
  const { directory, print } = options
  const namespace = await world.freshNamespace()
  const argv = [process.execPath, program('contestant'), directory, namespace, 'deploy']
  const deploy = await runWindow(argv, { env: environmentOf(world) })
  if (deploy.exitCode !== 0) throw new Error(deploy.stderr)
  const mine = await latencies(world, directory, namespace, 'trueup')
  print(`trueup          ${describe(mine)} ms`)
  const raw = await latencies(world, directory, namespace, 'raw')
  print(`watch and PATCH ${describe(raw)} ms`)
  const beside: { [name: string]: number } = {}
  for (const { name, path } of peers()) {
    const healer = spawn(path, ['heal', world.cluster.kubeconfig, world.manifests, namespace], { stdio: 'inherit' })
    try {
      const others = await latencies(world, directory, namespace, 'peer')
      print(`${name.padEnd(15)} ${describe(others)} ms`)
      beside[`p50_${name}`] = round(others.all.median, 1)
      beside[`p99_${name}`] = round(others.p99, 1)
    } finally {
      healer.kill('SIGTERM')
    }
  }
  return {
    cpuRatio: null,
    wallRatio: round(mine.all.median / raw.all.median),
    met: mine.all.median <= AIM_P50 && mine.p99 <= AIM_P99,
    pairs: 1,
    details: {
      p50Ms: round(mine.all.median, 1),
      p99Ms: round(mine.p99, 1),
      maxMs: round(mine.all.max, 1),
      floorP50Ms: round(raw.all.median, 1),
      floorP99Ms: round(raw.p99, 1),
      ...beside,
    },
  }
}

interface Latencies {
  all: Spread
  p99: number
}

const describe = ({ all, p99 }: Latencies): string => `${describeSpread(all, 1)}, p99 ${p99.toFixed(1)}`
const map = (i: number): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: map-${i}}\ndata: {value: wanted}\n`

async function latencies(world: KubeWorld, directory: string, namespace: string, who: string): Promise<Latencies> {
  const argv = [process.execPath, program('heal/contestant'), directory, namespace, who]
  argv.push(String(OBJECTS), String(EDITS), String(PAUSE_MS))
  const { run: done } = await runContestant({
    name: who,
    argv,
    env: environmentOf(world),
    proof: () => Promise.resolve(''),
  })
  const values = done.stdout.trim().split('\n').map(Number)
  const lost = values.filter((value) => Number.isNaN(value)).length
  if (lost > 0) throw new Error(`${who}: ${lost} of ${values.length} edits were not healed within 30 s`)
  const sorted = values.toSorted((a, b) => a - b)
  return { all: spread(values), p99: sorted[Math.ceil(sorted.length * 0.99) - 1] ?? Number.NaN }
}
