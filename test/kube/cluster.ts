import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { coerce, lt } from 'semver'
import { requireTool } from '../tools.ts'

/** Tests look into answers as they like. */
// oxlint-disable-next-line typescript/no-explicit-any
export type Looked = any

/** What has to be there for `startCluster`. */
export const CLUSTER_TOOLS = ['etcd', 'kube-apiserver', 'kubectl'] as const

/**
 * A real Kubernetes API on loopback: etcd and kube-apiserver (with TLS, RBAC and static tokens), and the real
 * kube-controller-manager on request. No nodes, so pods stay Pending until a test writes their status. For tests and
 * benchmarks only: etcd does not sync to disk, the ServiceAccount admission plugin is off. Ready after about four seconds.
 */
export interface TestCluster {
  /** Path of a kubeconfig with the contexts `admin` (current) and `viewer` (may only read). */
  kubeconfig: string
  server: string
  ca: string
  tokens: { admin: string; viewer: string }
  directory: string
  /** Pids of etcd and kube-apiserver, for benchmarks that count their CPU. */
  pids: number[]
  kubectl(args: string[], input?: string): string
  /** One request as admin; the parsed answer, whatever its status. */
  api(method: string, path: string, body?: unknown, contentType?: string): Promise<{ status: number; body: Looked }>
  /** Ends the API server and etcd, as a crash would; `stop` is still to be called. */
  kill(): Promise<void>
  stop(): Promise<void>
}

export interface ClusterOptions {
  /** Adds kube-controller-manager: Deployments then make Pods, namespaces can be deleted. */
  controllers?: boolean
  /** Further arguments of kube-apiserver. */
  apiserver?: readonly string[]
}

/** How long starting it may take on a machine with other work, in milliseconds: newer servers have more to do at first. */
export const STARTING_MS = 240_000
const LOOK_MS = 100

export async function startCluster({
  controllers = false,
  apiserver: more = [],
}: ClusterOptions = {}): Promise<TestCluster> {
  const [etcd, apiserver, kubectl] = CLUSTER_TOOLS.map((name) => requireTool(name).path) as [string, string, string]
  const directory = mkdtempSync(join(tmpdir(), 'trueup-kube-'))
  const processes: Running[] = []
  const stopAll = async (): Promise<void> => {
    for (const process of processes.toReversed()) await process.end()
    processes.length = 0
  }
  try {
    const keys = makeKeys(directory)
    const [port, client, peer] = await freePorts(3)
    const etcdUrl = `http://127.0.0.1:${client}`
    const args = ['--data-dir', join(directory, 'etcd'), '--listen-client-urls', etcdUrl]
    args.push('--advertise-client-urls', etcdUrl, '--listen-peer-urls', `http://127.0.0.1:${peer}`, '--unsafe-no-fsync')
    processes.push(start(directory, 'etcd', etcd, args))
    processes.push(
      start(directory, 'kube-apiserver', apiserver, [...apiserverArguments(directory, etcdUrl, port!), ...more]),
    )
    const server = `https://127.0.0.1:${port}`
    const kubeconfig = writeKubeconfig(directory, server, keys)
    const api = caller(port!, keys)
    await untilReady(processes, api)
    await api(
      'PATCH',
      '/apis/rbac.authorization.k8s.io/v1/clusterroles/viewers?fieldManager=test&force=true',
      VIEWERS,
      APPLY,
    )
    const binding = '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/viewers?fieldManager=test&force=true'
    await api('PATCH', binding, VIEWER_BINDING, APPLY)
    if (controllers) {
      const manager = requireTool('kube-controller-manager').path
      processes.push(start(directory, 'controllers', manager, controllerArguments(directory, kubeconfig)))
      await untilDefaultAccount(api)
    }
    return {
      kubeconfig,
      server,
      ca: keys.ca,
      tokens: keys.tokens,
      directory,
      pids: processes.slice(0, 2).map(({ child }) => child.pid!),
      api,
      kubectl: (argv, input) =>
        execFileSync(kubectl, ['--kubeconfig', kubeconfig, '--cache-dir', join(directory, 'cache'), ...argv], {
          encoding: 'utf8',
          input: input ?? '',
          stdio: ['pipe', 'pipe', 'pipe'],
          env: { PATH: process.env.PATH, HOME: directory },
        }),
      kill: stopAll,
      stop: async () => {
        await stopAll()
        rmSync(directory, { recursive: true, force: true })
      },
    }
  } catch (error) {
    await stopAll()
    rmSync(directory, { recursive: true, force: true })
    throw error
  }
}

const APPLY = 'application/apply-patch+yaml'
const VIEWERS = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRole',
  metadata: { name: 'viewers' },
  rules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['get', 'list', 'watch'] }],
}
const VIEWER_BINDING = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRoleBinding',
  metadata: { name: 'viewers' },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'viewers' },
  subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'viewers' }],
}

interface Running {
  name: string
  child: ChildProcess
  said(): string
  end(): Promise<void>
}

/** A test process that is killed cannot end its clusters, and each that stays costs every later test its CPU. */
const DIES_WITH_PARENT =
  spawnSync('setpriv', ['--version']).status === 0 ? ['setpriv', '--pdeathsig', 'KILL', '--'] : []

function start(directory: string, name: string, program: string, args: string[]): Running {
  const log = join(directory, `${name}.log`)
  const file = openSync(log, 'w')
  const [command, ...argv] = [...DIES_WITH_PARENT, program, ...args]
  const child = spawn(command!, argv, { stdio: ['ignore', file, file], cwd: directory })
  closeSync(file)
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  child.on('error', () => {})
  return {
    name,
    child,
    said: () => readFileSync(log, 'utf8').split('\n').slice(-6).join('\n'),
    end: async () => {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), 3000)
      await ended
      clearTimeout(timer)
    },
  }
}

interface Keys {
  ca: string
  tokens: { admin: string; viewer: string }
}

function makeKeys(directory: string): Keys {
  const openssl = (...args: string[]): void =>
    void execFileSync('openssl', args, { cwd: directory, stdio: ['ignore', 'ignore', 'pipe'] })
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '3650']
  openssl('req', '-x509', ...key, '-subj', '/CN=test-ca', '-keyout', 'ca.key', '-out', 'ca.crt')
  openssl('req', ...key.slice(0, -2), '-subj', '/CN=kube-apiserver', '-keyout', 'server.key', '-out', 'server.csr')
  writeFileSync(
    join(directory, 'names'),
    'subjectAltName=IP:127.0.0.1,IP:10.97.0.1,DNS:localhost,DNS:kubernetes.default.svc\n',
  )
  const sign = ['x509', '-req', '-in', 'server.csr', '-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial']
  openssl(...sign, '-out', 'server.crt', '-days', '3650', '-extfile', 'names')
  const account = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
  writeFileSync(join(directory, 'service-account.key'), account.export({ type: 'sec1', format: 'pem' }), {
    mode: 0o600,
  })
  const tokens = { admin: randomBytes(16).toString('hex'), viewer: randomBytes(16).toString('hex') }
  const lines = [`${tokens.admin},admin,admin,"system:masters"`, `${tokens.viewer},viewer,viewer,"viewers"`]
  writeFileSync(join(directory, 'tokens.csv'), `${lines.join('\n')}\n`, { mode: 0o600 })
  mkdirSync(join(directory, 'etcd'), { mode: 0o700 })
  return { ca: readFileSync(join(directory, 'ca.crt'), 'utf8'), tokens }
}

function writeKubeconfig(directory: string, server: string, { ca, tokens }: Keys): string {
  const users = Object.entries(tokens).map(([name, token]) => ({ name, user: { token } }))
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server, 'certificate-authority-data': Buffer.from(ca).toString('base64') } }],
    users,
    contexts: users.map(({ name }) => ({ name, context: { cluster: 'test', user: name } })),
    'current-context': 'admin',
  }
  const path = join(directory, 'kubeconfig')
  writeFileSync(path, JSON.stringify(config), { mode: 0o600 })
  return path
}

/** Flags against the ports without TLS that the programs had, and opened, until 1.24. */
const beforeInsecurePortsWent = (program: string, flag: string): string[] =>
  lt(coerce(requireTool(program).version) ?? '0.0.0', '1.24.0') ? [flag] : []

function apiserverArguments(directory: string, etcd: string, port: number): string[] {
  const at = (name: string): string => join(directory, name)
  return [
    `--etcd-servers=${etcd}`,
    '--bind-address=127.0.0.1',
    `--secure-port=${port}`,
    ...beforeInsecurePortsWent('kube-apiserver', '--insecure-port=0'),
    '--advertise-address=127.0.0.1',
    '--endpoint-reconciler-type=none',
    '--service-cluster-ip-range=10.97.0.0/16',
    `--tls-cert-file=${at('server.crt')}`,
    `--tls-private-key-file=${at('server.key')}`,
    '--authorization-mode=RBAC',
    `--token-auth-file=${at('tokens.csv')}`,
    '--anonymous-auth=false',
    '--allow-privileged=true',
    '--disable-admission-plugins=ServiceAccount',
    '--api-audiences=https://kubernetes.default.svc',
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${at('service-account.key')}`,
    `--service-account-signing-key-file=${at('service-account.key')}`,
  ]
}

const controllerArguments = (directory: string, kubeconfig: string): string[] => [
  `--kubeconfig=${kubeconfig}`,
  '--leader-elect=false',
  ...beforeInsecurePortsWent('kube-controller-manager', '--port=0'),
  '--secure-port=0',
  `--root-ca-file=${join(directory, 'ca.crt')}`,
  `--service-account-private-key-file=${join(directory, 'service-account.key')}`,
]

type Api = TestCluster['api']

function caller(port: number, { ca, tokens }: Keys): Api {
  return (method, path, body, contentType = 'application/json') =>
    new Promise((resolve, reject) => {
      const text = body === undefined ? '' : JSON.stringify(body)
      // Node sends no length for the body of a DELETE, which then reads as the next request.
      const length = { 'content-length': Buffer.byteLength(text) }
      const headers = { authorization: `Bearer ${tokens.admin}`, 'content-type': contentType, ...length }
      const call = request({ host: '127.0.0.1', port, method, path, ca, headers }, (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () => {
          const answer = Buffer.concat(chunks).toString()
          resolve({ status: response.statusCode ?? 0, body: answer.startsWith('{') ? JSON.parse(answer) : answer })
        })
      })
      call.on('error', reject)
      call.end(text)
    })
}

async function untilReady(processes: readonly Running[], api: Api): Promise<void> {
  for (let attempt = 0; attempt < STARTING_MS / LOOK_MS; attempt++) {
    const dead = processes.find(({ child }) => child.exitCode !== null || child.signalCode !== null)
    if (dead) throw new Error(`${dead.name} ended:\n${dead.said()}`)
    const ready = await api('GET', '/readyz').catch(() => null)
    if (ready?.status === 200) return
    await sleep(LOOK_MS)
  }
  throw new Error(`kube-apiserver does not become ready:\n${processes.map((one) => one.said()).join('\n')}`)
}

/** The sign that the controllers have begun their work. */
async function untilDefaultAccount(api: Api): Promise<void> {
  for (let attempt = 0; attempt < STARTING_MS / LOOK_MS; attempt++) {
    if ((await api('GET', '/api/v1/namespaces/default/serviceaccounts/default')).status === 200) return
    await sleep(LOOK_MS)
  }
  throw new Error('kube-controller-manager does nothing')
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer())
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve, reject) => {
          server.once('error', reject)
          server.listen(0, '127.0.0.1', () => {
            const address = server.address()
            resolve(typeof address === 'object' && address !== null ? address.port : 0)
          })
        }),
    ),
  )
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}
