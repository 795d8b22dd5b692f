import { delimiter } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { KubernetesConfig } from '../../../src/drivers/kubernetes/config.ts'
import { testContext } from '../../../src/drivers/testing/context.ts'
import { CLUSTER_TOOLS, type Looked, startCluster, type TestCluster } from '../../kube/cluster.ts'
import { openWire } from '../../kube/wire.ts'
import { findTool, toolsDirectory } from '../../tools.ts'
import type { Subject, World } from '../subject.ts'

const SECRET = 'correct-horse-battery'
const PATCH = 'application/merge-patch+json'

/** Files of the stack by name, each with objects: as one way of rendering them wants them to lie. */
type Layout = (objects: { [file: string]: string }) => { [path: string]: string }

const kustomized: Layout = (objects) => ({
  'stack/kustomization.yaml': `apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [${Object.keys(objects).join(', ')}]\n`,
  ...mapped(objects, (file) => `stack/${file}`),
})
const charted: Layout = (objects) => ({
  'stack/Chart.yaml': 'apiVersion: v2\nname: app\nversion: 1.0.0\n',
  ...mapped(objects, (file) => `stack/templates/${file}`),
})
const mapped = (objects: { [file: string]: string }, place: (file: string) => string): { [path: string]: string } =>
  Object.fromEntries(Object.entries(objects).map(([file, text]) => [place(file), text]))

/** By itself, where it is on PATH, as the driver takes it. */
function kustomize(): string {
  const found = findTool('kustomize')
  return found === null ? `Kustomize of kubectl ${findTool('kubectl')?.version ?? ''}` : `Kustomize ${found.version}`
}

function subject(renderer: string, needed: readonly string[], layout: Layout): Subject {
  const missing = needed.filter((name) => findTool(name) === null)
  return {
    driver: 'kubernetes',
    against: `kube-apiserver ${findTool('kube-apiserver')?.version ?? ''}, ${renderer}`,
    missing: missing.length === 0 ? null : `${missing.join(', ')} missing: run "npm run tools"`,
    needs: 'kube-apiserver',
    exempt: {},
    open: () => open(layout),
  }
}

export const kubernetesSubjects: readonly Subject[] = [
  subject(kustomize(), CLUSTER_TOOLS, kustomized),
  subject(`Helm ${findTool('helm')?.version ?? ''}`, [...CLUSTER_TOOLS, 'helm'], charted),
]

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

async function open(layout: Layout): Promise<World> {
  cluster ??= startCluster()
  const target = await cluster
  const wire = await openWire(target)
  const number = ++worlds
  let edits = 0
  const namespace = `world-${number}`
  await target.api('POST', '/api/v1/namespaces', { metadata: { name: namespace } })
  const objects = { 'config.yaml': CONFIG('1'), 'web.yaml': DEPLOYMENT, 'secret.yaml': SECRETS }
  const base = await testContext({
    config: KubernetesConfig.parse({ namespace, waitTimeout: '60s' }),
    name: namespace,
    files: layout(objects),
    env: { KUBECONFIG: wire.kubeconfig, PATH: [process.env.PATH, toolsDirectory].join(delimiter) },
  })
  const write = (changed: { [file: string]: string }): Promise<void> =>
    base.write(layout(Object.assign(objects, changed)))
  const api = (method: string, path: string, body?: unknown): Promise<Looked> =>
    target.api(method, path.replace('NS', `namespaces/${namespace}`), body, PATCH).then((answer) => answer.body)
  const web = '/apis/apps/v1/NS/deployments/web'
  return {
    context: (options) => base.next(options),
    read: () => readAll(api),
    async edit() {
      await write({ 'config.yaml': CONFIG(`changed ${++edits}`) })
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
    breakSource: () => write({ 'config.yaml': 'apiVersion: v1\nkind: ConfigMap\n  metadata: {name: app\n' }),
    killTarget: () => Promise.resolve(wire.cut()),
    async breakApply() {
      const port = 30_000 + number
      // A dry run reserves no port, so only the second one's apply finds it taken.
      await write({
        'one.yaml': SERVICE('one', port, 1),
        'two.yaml': SERVICE('two', port, 2),
        'later.yaml': LATER,
      })
      return { done: [`Service/${namespace}/one`], failed: [`Service/${namespace}/two`] }
    },
    async slowApply() {
      // Nobody starts the pod, and a wave waits for it.
      const port = 31_000 + number
      await write({ 'pod.yaml': POD, 'two.yaml': SERVICE('two', port, 2), 'later.yaml': LATER })
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
      await write({
        'definition.yaml': DEFINITION(group),
        'thing.yaml': `apiVersion: ${group}/v1\nkind: Thing\nmetadata: {name: thing}\n`,
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
