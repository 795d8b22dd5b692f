import { readFileSync } from 'node:fs'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CLUSTER_TOOLS, startCluster, type TestCluster } from '../../test/kube/cluster.ts'
import { findTool, requireTool } from '../../test/tools.ts'
import { type BenchOptions, type BenchOutcome, type Contestant, skip } from '../harness.ts'

/** A real API server and the manifests that are put onto it; the same for everybody who is compared. */
export interface KubeWorld {
  cluster: TestCluster
  /** Directory with one YAML file per app, without namespaces. */
  manifests: string
  kubectl: { path: string; version: string }
  /** A namespace that nobody has used. */
  freshNamespace(): Promise<string>
  /** CPU-seconds of API server and etcd until now. */
  serverCpu(): number
  /** Requests that the API server has answered until now, its own left out. */
  requests(): Promise<number>
  close(): Promise<void>
}

/** Runs a benchmark on an API server of its own, or skips it where the tools for one are missing. */
export async function onCluster(
  options: BenchOptions,
  files: { [path: string]: string },
  run: (world: KubeWorld) => Promise<BenchOutcome>,
): Promise<BenchOutcome> {
  const missing = missingForKube()
  if (missing !== null) return skip(options, missing)
  const world = await openKubeWorld(options.directory, files)
  try {
    return await run(world)
  } finally {
    await world.close()
  }
}

function missingForKube(): string | null {
  const missing = CLUSTER_TOOLS.filter((name) => findTool(name) === null)
  return missing.length === 0 ? null : `${missing.join(', ')} (npm run tools)`
}

async function openKubeWorld(directory: string, files: { [path: string]: string }): Promise<KubeWorld> {
  const cluster = await startCluster()
  const manifests = join(directory, 'workspace', 'stack')
  mkdirSync(manifests, { recursive: true })
  for (const [path, text] of Object.entries(files)) writeFileSync(join(manifests, path), text)
  let count = 0
  return {
    cluster,
    manifests,
    kubectl: requireTool('kubectl'),
    async freshNamespace() {
      const name = `bench-${++count}`
      await cluster.api('POST', '/api/v1/namespaces', { metadata: { name } })
      return name
    },
    serverCpu: () => cluster.pids.reduce((sum, pid) => sum + cpuOf(pid), 0),
    async requests() {
      const { body } = await cluster.api('GET', '/metrics')
      const lines = String(body).split('\n')
      const counted = lines.filter((line) => line.startsWith('apiserver_request_total{') && !isOwn(line))
      return counted.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
    },
    close: () => cluster.stop(),
  }
}

/** The API server also asks itself: leases, priority levels, endpoints. */
const isOwn = (line: string): boolean =>
  /resource="(leases|flowschemas|prioritylevelconfigurations|endpointslices|endpoints|apiservices|roles|clusterroles|rolebindings|clusterrolebindings|namespaces|resourcequotas|limitranges)"|subresource="\/(metrics|readyz|healthz)/.test(
    line,
  )

/** Path of a program beside this file: `raw/contestant`. */
export const program = (name: string): string => new URL(`./${name}.ts`, import.meta.url).pathname

/** Clock ticks of 1/100 s, of the process alone. */
function cpuOf(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}

/** Four objects like those of Flux's own benchmark: a Deployment without replicas, its account, service and settings. */
export function app(name: string): string {
  const labels = `{app.kubernetes.io/name: ${name}, app.kubernetes.io/part-of: bench}`
  return `apiVersion: v1
kind: ServiceAccount
metadata:
  name: ${name}
  labels: ${labels}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: ${name}
  labels: ${labels}
data:
  settings.ini: |
    name = ${name}
    mode = production
  level: "1"
---
apiVersion: v1
kind: Service
metadata:
  name: ${name}
  labels: ${labels}
spec:
  type: ClusterIP
  selector: {app.kubernetes.io/name: ${name}}
  ports:
    - name: http
      port: 80
      targetPort: http
      protocol: TCP
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
  labels: ${labels}
spec:
  replicas: 0
  selector:
    matchLabels: {app.kubernetes.io/name: ${name}}
  template:
    metadata:
      labels: {app.kubernetes.io/name: ${name}}
    spec:
      serviceAccountName: ${name}
      containers:
        - name: app
          image: registry.example.org/${name}:1.0.0
          ports:
            - name: http
              containerPort: 8080
              protocol: TCP
          resources:
            requests: {cpu: 100m, memory: 64Mi}
            limits: {memory: 128Mi}
          readinessProbe:
            httpGet: {path: /healthz, port: http}
`
}

/** A whole number of the environment, for those who want more than a minute or two. */
export function sizeFrom(variable: string, usual: number): number {
  const given = Number(process.env[variable] ?? usual)
  if (Number.isSafeInteger(given) && given > 0) return given
  throw new Error(`${variable} has to be a whole number from 1`)
}

/**
 * Other engines, given by path: TRUEUP_BENCH_PEERS="flux=/path/to/program,argo=/other". Each is called as
 * `PROGRAM VERB KUBECONFIG DIRECTORY NAMESPACE` (VERB is `deploy`, `diff` or `heal`), does the work of that benchmark with the
 * manifests of the directory, and ends with 0; `heal` goes on until it is ended.
 */
export function peers(): { name: string; path: string }[] {
  const given = (process.env.TRUEUP_BENCH_PEERS ?? '').split(',').filter(Boolean)
  return given.map((pair) => {
    const at = pair.indexOf('=')
    if (at < 1) throw new Error(`TRUEUP_BENCH_PEERS: "${pair}" is not NAME=PATH`)
    return { name: pair.slice(0, at), path: pair.slice(at + 1) }
  })
}

export const environmentOf = (world: KubeWorld): NonNullable<Contestant['env']> => ({
  KUBECONFIG: world.cluster.kubeconfig,
  HOME: world.cluster.directory,
})
