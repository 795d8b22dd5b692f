import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import {
  type Benchmark,
  type BenchOptions,
  type BenchOutcome,
  comparePairs,
  type Contestant,
  outcomeOf,
  round,
  spread,
} from './harness.ts'
import { app, environmentOf, type KubeWorld, onCluster, peers, program, sizeFrom } from './kube/world.ts'
import { runWindow } from './window.ts'

const OBJECTS = Math.ceil(sizeFrom('TRUEUP_BENCH_OBJECTS', 400) / 4) * 4
const CHECKS = 10
const AIM = 100

/** Nothing has drifted: what it costs to know that. */
export const b6: Benchmark = {
  id: 'B6',
  title: `${OBJECTS} live objects without drift, ${CHECKS} checks (TRUEUP_BENCH_OBJECTS)`,
  aim: `≥ ${AIM}× fewer API requests than a dry run of every object (as Flux checks)`,
  run,
}

function run(options: BenchOptions): Promise<BenchOutcome> {
  const names = Array.from({ length: OBJECTS / 4 }, (_, i) => `app-${i}`)
  const files = Object.fromEntries(names.map((name) => [`${name}.yaml`, app(name)]))
  return onCluster(options, files, (world) => check(world, options))
}

async function check(world: KubeWorld, options: BenchOptions): Promise<BenchOutcome> {
  const { directory, print } = options
  const namespace = await world.freshNamespace()
  const deploy = await runWindow([process.execPath, program('contestant'), directory, namespace, 'deploy'], {
    env: environmentOf(world),
  })
  if (deploy.exitCode !== 0) throw new Error(deploy.stderr)
  const counted = new Map<string, number[]>()
  const servers = new Map<string, number[]>()
  const measured = (name: string, argv: string[], proof: (stdout: string) => string): Contestant => ({
    name,
    argv,
    async measure() {
      const [requests, cpu] = [await world.requests(), world.serverCpu()]
      const done = await runWindow(argv, { env: environmentOf(world) })
      put(servers, name, world.serverCpu() - cpu)
      put(counted, name, (await world.requests()) - requests)
      return done
    },
    proof: ({ stdout }) => Promise.resolve(proof(stdout)),
  })
  const expected = Array.from({ length: CHECKS }, () => `${OBJECTS} checked, 0 differ`).join('\n')
  const mine = measured(
    'trueup',
    [process.execPath, program('contestant'), directory, namespace, 'drift', String(CHECKS)],
    (stdout) => (stdout === expected ? 'in sync' : `WRONG: ${stdout}`),
  )
  const raw = measured(
    'raw dry runs',
    [process.execPath, program('raw/contestant'), world.manifests, namespace, 'drift', String(CHECKS)],
    () => 'in sync',
  )
  const report = await comparePairs(mine, raw, options)
  const ours = median(counted, mine.name)
  // The start of a watch lists everything once; it is counted with the checks.
  const fewer = median(counted, raw.name) / ours
  print(
    `API requests: ${ours} for start and ${CHECKS} checks, against ${median(counted, raw.name)}: ${fewer.toFixed(0)}× fewer`,
  )
  print(`CPU of API server and etcd: ${(median(servers, mine.name) / median(servers, raw.name)).toFixed(3)}×`)
  const kubectl = await comparePairs(mine, kubectlDiff(world, namespace), {
    ...options,
    pairs: Math.max(1, Math.ceil(options.pairs / 5)),
    warmUp: false,
  })
  const beside: { [name: string]: number } = {}
  for (const { name, path } of peers()) {
    const before = await world.requests()
    const cpu = world.serverCpu()
    spawnSync(path, ['diff', world.cluster.kubeconfig, world.manifests, namespace], { stdio: 'inherit' })
    beside[`requests_${name}`] = (await world.requests()) - before
    beside[`serverCpu_${name}`] = round(world.serverCpu() - cpu)
  }
  return outcomeOf(report, fewer >= AIM, {
    requests: ours,
    floorRequests: median(counted, raw.name),
    fewerRequests: round(fewer, 1),
    serverCpuRatio: round(median(servers, mine.name) / median(servers, raw.name)),
    msPerCheck: round((spread(report.ours.map((one) => one.wallSeconds)).median * 1000) / CHECKS, 1),
    kubectlDiffCpuRatio: round(kubectl.cpu.median),
    kubectlDiffWallRatio: round(kubectl.wall.median),
    kubectl: world.kubectl.version,
    ...beside,
  })
}

const put = (into: Map<string, number[]>, name: string, value: number): void =>
  void into.set(name, [...(into.get(name) ?? []), value])
const median = (from: ReadonlyMap<string, number[]>, name: string): number => spread(from.get(name) ?? []).median

/** As often as ours checks. Its proof is its exit code: 0 says that nothing differs. */
function kubectlDiff({ cluster, manifests, kubectl }: KubeWorld, namespace: string): Contestant {
  const call = [kubectl.path, '--kubeconfig', cluster.kubeconfig, '--cache-dir', join(cluster.directory, 'cache')]
  call.push('-n', namespace, 'diff', '--server-side', '--force-conflicts', '--field-manager=trueup', '-f', manifests)
  return {
    name: 'kubectl diff --server-side',
    argv: [
      'bash',
      '-c',
      `for ((i = 0; i < ${CHECKS}; i++)); do "$@" >"$0" || [ $? = 1 ] || exit; done`,
      '/dev/null',
      ...call,
    ],
    // Without our mark of ownership each object differs by that one annotation for it; the work is the same.
    proof: () => Promise.resolve('in sync'),
  }
}
