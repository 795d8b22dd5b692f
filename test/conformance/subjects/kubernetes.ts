import { setTimeout as sleep } from 'node:timers/promises'
import { KubernetesConfig } from '../../../src/drivers/kubernetes/config.ts'
import { testContext } from '../../../src/drivers/testing/context.ts'
import { CLUSTER_TOOLS, type Looked, startCluster, type TestCluster } from '../../kube/cluster.ts'
import { openWire } from '../../kube/wire.ts'
import { findTool } from '../../tools.ts'
import type { Subject, World } from '../subject.ts'

const SECRET = 'correct-horse-battery'
const PATCH = 'application/merge-patch+json'

const missing = CLUSTER_TOOLS.filter((name) => findTool(name) === null)

/** By itself, where it is on PATH, as the driver takes it. */
function kustomize(): string {
  const found = findTool('kustomize')
  return found === null ? 'Kustomize of kubectl' : `Kustomize ${found.version}`
}

export const kubernetesSubject: Subject = {
  driver: 'kubernetes',
  against: `kube-apiserver ${findTool('kube-apiserver')?.version ?? ''}, ${kustomize()}`,
  missing: missing.length === 0 ? null : `${missing.join(', ')} missing: run "npm run tools"`,
  needs: 'kube-apiserver',
  exempt: {},
  open,
}

/** One API server for all tests of the suite; each has a namespace of its own. */
let cluster: Promise<TestCluster> | undefined
let worlds = 0

export async function stopCluster(): Promise<void> {
  await (await cluster)?.stop()
  cluster = undefined
}

const CONFIG = (a: string): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: app}\ndata: {a: "${a}", b: "2"}\n`
const DEPLOYMENT = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "nginx:1"}]}
`
const SECRETS = `apiVersion: v1\nkind: Secret\nmetadata: {name: app}\nstringData: {password: ${SECRET}}\n`
const KUSTOMIZATION = (...more: string[]): string =>
  `apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [${['config.yaml', 'web.yaml', 'secret.yaml', ...more].join(', ')}]\n`
const SERVICE = (name: string, port: number, wave: number): string =>
  `apiVersion: v1\nkind: Service\nmetadata: {name: ${name}, annotations: {trueup.dev/wave: "${wave}"}}\nspec: {type: NodePort, ports: [{port: 80, protocol: TCP, nodePort: ${port}}]}\n`
const LATER = `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: later, annotations: {trueup.dev/wave: "9"}}\ndata: {a: b}\n`
const POD = `apiVersion: v1\nkind: Pod\nmetadata: {name: slow}\nspec: {containers: [{name: a, image: a}]}\n`
const DEFINITION = (group: string): string => `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.${group}}
spec:
  group: ${group}
  scope: Namespaced
  names: {kind: Thing, plural: things}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]
`

async function open(): Promise<World> {
  cluster ??= startCluster()
  const target = await cluster
  const wire = await openWire(target)
  const number = ++worlds
  const namespace = `world-${number}`
  await target.api('POST', '/api/v1/namespaces', { metadata: { name: namespace } })
  const base = await testContext({
    config: KubernetesConfig.parse({ namespace, waitTimeout: '60s' }),
    name: namespace,
    files: {
      'stack/kustomization.yaml': KUSTOMIZATION(),
      'stack/config.yaml': CONFIG('1'),
      'stack/web.yaml': DEPLOYMENT,
      'stack/secret.yaml': SECRETS,
    },
    env: { KUBECONFIG: wire.kubeconfig },
  })
  const api = (method: string, path: string, body?: unknown): Promise<Looked> =>
    target.api(method, path.replace('NS', `namespaces/${namespace}`), body, PATCH).then((answer) => answer.body)
  const web = '/apis/apps/v1/NS/deployments/web'
  return {
    context: (options) => base.next(options),
    read: () => readAll(api),
    async edit() {
      await base.write({ 'stack/config.yaml': CONFIG('changed') })
      return { address: `ConfigMap/${namespace}/app`, attribute: 'data.a' }
    },
    async tamper() {
      await api('PATCH', '/api/v1/NS/configmaps/app', { data: { b: 'tampered' } })
      return { address: `ConfigMap/${namespace}/app`, attribute: 'data.b' }
    },
    async tamperIgnorable() {
      await api('PATCH', web, { spec: { replicas: 7 } })
      return {
        address: `Deployment/${namespace}/web`,
        attribute: 'spec.replicas',
        read: async () => (await api('GET', web)).spec.replicas,
      }
    },
    secret: SECRET,
    breakSource: () => base.write({ 'stack/config.yaml': 'apiVersion: v1\nkind: ConfigMap\n  metadata: {name: app\n' }),
    killTarget: () => Promise.resolve(wire.cut()),
    async breakApply() {
      const port = 30_000 + number
      // A dry run reserves no port, so only the second one's apply finds it taken.
      await base.write({
        'stack/kustomization.yaml': KUSTOMIZATION('one.yaml', 'two.yaml', 'later.yaml'),
        'stack/one.yaml': SERVICE('one', port, 1),
        'stack/two.yaml': SERVICE('two', port, 2),
        'stack/later.yaml': LATER,
      })
      return { done: [`Service/${namespace}/one`], failed: [`Service/${namespace}/two`] }
    },
    async slowApply() {
      // Nobody starts the pod, and a wave waits for it.
      await base.write({
        'stack/kustomization.yaml': KUSTOMIZATION('pod.yaml', 'later.yaml'),
        'stack/pod.yaml': POD,
        'stack/later.yaml': LATER,
      })
      return {
        begun: async () => {
          for (let attempt = 0; attempt < 200; attempt++) {
            if ((await api('GET', '/api/v1/NS/pods/slow')).kind === 'Pod') return
            await sleep(50)
          }
          throw new Error('the pod was not made within ten seconds')
        },
      }
    },
    async addUncheckable() {
      const group = `${namespace}.example.org`
      await base.write({
        'stack/kustomization.yaml': KUSTOMIZATION('definition.yaml', 'thing.yaml'),
        'stack/definition.yaml': DEFINITION(group),
        'stack/thing.yaml': `apiVersion: ${group}/v1\nkind: Thing\nmetadata: {name: thing}\n`,
      })
      return `Thing.${group}/${namespace}/thing`
    },
    async close() {
      wire.close()
      await base.remove()
    },
  }
}

/** Everything in the namespace but the inventory, without what the server writes; Secrets decoded. */
async function readAll(api: (method: string, path: string) => Promise<Looked>): Promise<unknown> {
  const kinds = ['/api/v1/NS/configmaps', '/api/v1/NS/secrets', '/api/v1/NS/services', '/apis/apps/v1/NS/deployments']
  const lists = await Promise.all(kinds.map((path) => api('GET', path)))
  return lists.flatMap(({ kind, items }: Looked) =>
    items
      .filter(({ metadata }: Looked) => !metadata.name.startsWith('trueup-'))
      .map(({ metadata, data, spec }: Looked) => ({
        kind,
        name: metadata.name,
        annotations: metadata.annotations,
        labels: metadata.labels,
        spec,
        data: kind === 'SecretList' ? decoded(data) : data,
      })),
  )
}

const decoded = (data: { [key: string]: string } = {}): { [key: string]: string } =>
  Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]))
