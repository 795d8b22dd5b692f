import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'
import { openStack, type StackOptions, type TestStack } from '../../src/drivers/kubernetes/testing/stack.ts'
import { describeWithTool } from '../tools.ts'
import { type Looked, STARTING_MS, startCluster, type TestCluster } from './cluster.ts'

/** What a test of the driver has at hand: one API server for the suite, one namespace for each test. */
export interface ClusterWorld {
  cluster: TestCluster
  namespace: string
  /** The stack that was opened last; removed after the test. */
  stack: TestStack
  open(files: StackOptions['files'], more?: Partial<StackOptions>): Promise<TestStack>
  /** A change by hand, as another manager. */
  patch(kind: string, name: string, body: object): void
  get(kind: string, name: string): Looked
}

export function describeOnCluster(title: string, suite: (world: ClusterWorld) => void): void {
  describeWithTool('kube-apiserver', title, () => {
    let count = 0
    const opened: TestStack[] = []
    // What is not there yet is set before each test; a suite only keeps the object.
    const world = {
      async open(files, more = {}) {
        const { cluster, namespace } = world
        const settings = { namespace, ...more.with }
        const options = { kubeconfig: cluster.kubeconfig, files, name: namespace, ...more, with: settings }
        world.stack = await openStack(options)
        opened.push(world.stack)
        return world.stack
      },
      patch(kind, name, body) {
        const argv = ['-n', world.namespace, 'patch', kind, name, '--type=merge', '-p', JSON.stringify(body)]
        world.cluster.kubectl(argv)
      },
      get: (kind, name) =>
        JSON.parse(world.cluster.kubectl(['-n', world.namespace, 'get', kind, name, '-o', 'json'])) as Looked,
    } as ClusterWorld

    beforeAll(async () => {
      world.cluster = await startCluster()
    }, STARTING_MS)
    afterAll(() => world.cluster?.stop())
    beforeEach(() => {
      world.namespace = `test-${++count}`
      world.cluster.kubectl(['create', 'namespace', world.namespace])
    })
    afterEach(async () => {
      for (const stack of opened.splice(0)) await stack.remove()
    })
    suite(world)
  })
}

/** Sources that many tests begin with. */
export const CONFIG = (data: string): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: app, labels: {app: web}}\ndata:\n${data}`
export const DEPLOYMENT = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: web
          image: nginx:1.25
          env:
            - {name: A, value: "1"}
            - {name: B, value: "2"}
          ports: [{containerPort: 80, protocol: TCP}]
          resources: {requests: {cpu: "0.1", memory: 64Mi}}
`
export const SECRET = `apiVersion: v1
kind: Secret
metadata: {name: app}
stringData: {password: correct-horse}
`
