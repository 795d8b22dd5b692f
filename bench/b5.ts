import { createHash } from 'node:crypto'
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

const APPS = sizeFrom('TRUEUP_BENCH_APPS', 100)
const OBJECTS = APPS * 4
/** Objects per second of the raw loop that are left. */
const AIM = 0.8

/** One push, all objects applied: plan, inventory and apply against nothing but the applies. */
export const b5: Benchmark = {
  id: 'B5',
  title: `${APPS} apps of 4 objects rolled out to one API server (TRUEUP_BENCH_APPS)`,
  aim: `≥ ${AIM} of the objects per second of a raw server-side apply loop`,
  run,
}

function run(options: BenchOptions): Promise<BenchOutcome> {
  const files = Object.fromEntries(Array.from({ length: APPS }, (_, i) => [`app-${i}.yaml`, app(`app-${i}`)]))
  return onCluster(options, files, (world) => rollOut(world, options))
}

async function rollOut(world: KubeWorld, options: BenchOptions): Promise<BenchOutcome> {
  const { print } = options
  const server = new Map<string, number[]>()
  const mine = contestant(world, server, 'trueup', (namespace) => [
    process.execPath,
    program('contestant'),
    options.directory,
    namespace,
    'deploy',
  ])
  const raw = contestant(world, server, 'raw apply loop', (namespace) => [
    process.execPath,
    program('raw/contestant'),
    world.manifests,
    namespace,
    'deploy',
  ])
  const report = await comparePairs(mine, raw, options)
  const ratioOfServer = medianOf(server, mine.name) / medianOf(server, raw.name)
  print(`CPU of API server and etcd: ${ratioOfServer.toFixed(2)}× of what they need for the raw loop`)
  const fewer = { ...options, pairs: Math.max(1, Math.ceil(options.pairs / 3)), warmUp: false }
  const kubectl = await comparePairs(mine, kubectlApply(world), fewer)
  const beside: { [name: string]: number } = {}
  for (const { name, path } of peers()) {
    const other = await comparePairs(mine, peer(world, name, path), fewer)
    beside[`wallRatio_${name}`] = round(other.wall.median)
  }
  const rate = (seconds: readonly number[]): number => round(OBJECTS / spread(seconds).median, 1)
  return outcomeOf(report, 1 / report.wall.median >= AIM, {
    objectsPerSecond: rate(report.ours.map((one) => one.wallSeconds)),
    floorObjectsPerSecond: rate(report.floor.map((one) => one.wallSeconds)),
    serverCpuRatio: round(ratioOfServer),
    kubectlCpuRatio: round(kubectl.cpu.median),
    kubectlWallRatio: round(kubectl.wall.median),
    kubectl: world.kubectl.version,
    ...beside,
  })
}

const medianOf = (all: ReadonlyMap<string, number[]>, name: string): number => spread(all.get(name) ?? []).median

function contestant(
  world: KubeWorld,
  server: Map<string, number[]>,
  name: string,
  argv: (namespace: string) => string[],
): Contestant {
  let namespace = ''
  return {
    name,
    argv: [],
    prepare: async () => {
      namespace = await world.freshNamespace()
    },
    async measure() {
      const before = world.serverCpu()
      const done = await runWindow(argv(namespace), { env: environmentOf(world) })
      server.set(name, [...(server.get(name) ?? []), world.serverCpu() - before])
      return done
    },
    proof: () => proofOf(world, namespace),
  }
}

function kubectlApply(world: KubeWorld): Contestant {
  const { cluster, manifests, kubectl } = world
  const side: Contestant = {
    name: 'kubectl apply --server-side',
    argv: [],
    env: environmentOf(world),
    prepare: async () => {
      const namespace = await world.freshNamespace()
      side.argv = [
        kubectl.path,
        '--kubeconfig',
        cluster.kubeconfig,
        '--cache-dir',
        join(cluster.directory, 'cache'),
        '-n',
        namespace,
      ]
      side.argv.push('apply', '--server-side', '--force-conflicts', '-f', manifests)
      side.proof = () => proofOf(world, namespace)
    },
    proof: () => Promise.resolve(''),
  }
  return side
}

function peer(world: KubeWorld, name: string, path: string): Contestant {
  const side: Contestant = {
    name,
    argv: [],
    env: environmentOf(world),
    prepare: async () => {
      const namespace = await world.freshNamespace()
      side.argv = [path, 'deploy', world.cluster.kubeconfig, world.manifests, namespace]
      side.proof = () => proofOf(world, namespace)
    },
    proof: () => Promise.resolve(''),
  }
  return side
}

/** What the namespace holds, without what tells one engine from another. */
async function proofOf({ cluster }: KubeWorld, namespace: string): Promise<string> {
  const places = [
    '/api/v1/NS/serviceaccounts',
    '/api/v1/NS/configmaps',
    '/api/v1/NS/services',
    '/apis/apps/v1/NS/deployments',
  ]
  const hash = createHash('sha256')
  let count = 0
  for (const place of places) {
    const { body } = await cluster.api('GET', place.replace('NS', `namespaces/${namespace}`))
    for (const { metadata, spec, data } of body.items) {
      if (metadata.labels?.['app.kubernetes.io/part-of'] !== 'bench') continue
      count++
      const { clusterIP: _ip, clusterIPs: _ips, ...rest } = spec ?? {}
      hash.update(JSON.stringify([metadata.name, metadata.labels, rest, data]))
    }
  }
  return `${count === OBJECTS ? 'all' : `ONLY ${count} of ${OBJECTS}`} ${hash.digest('hex')}`
}
