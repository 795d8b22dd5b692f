import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { startCluster, type TestCluster } from '../../../test/kube/cluster.ts'
import { describeWithTool } from '../../../test/tools.ts'
import { openStack, placesOf, type StackOptions, type TestStack } from './testing/stack.ts'

const CONFIG = (data: string): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: app, labels: {app: web}}\ndata:\n${data}`
const DEPLOYMENT = `apiVersion: apps/v1
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
const SECRET = `apiVersion: v1
kind: Secret
metadata: {name: app}
stringData: {password: correct-horse}
`

describeWithTool('kube-apiserver', 'planning and applying', () => {
  let cluster: TestCluster
  let stack: TestStack
  let namespace: string
  let count = 0

  beforeAll(async () => {
    cluster = await startCluster()
  }, 60_000)
  afterAll(() => cluster?.stop())
  beforeEach(() => {
    namespace = `test-${++count}`
    cluster.kubectl(['create', 'namespace', namespace])
  })
  afterEach(() => stack?.remove())

  const open = async (files: StackOptions['files'], more: Partial<StackOptions> = {}): Promise<TestStack> => {
    const settings = { namespace, ...more.with }
    stack = await openStack({ kubeconfig: cluster.kubeconfig, files, name: namespace, ...more, with: settings })
    return stack
  }
  const patch = (kind: string, name: string, body: object): string =>
    cluster.kubectl(['-n', namespace, 'patch', kind, name, '--type=merge', '-p', JSON.stringify(body)])
  const get = (kind: string, name: string): any =>
    JSON.parse(cluster.kubectl(['-n', namespace, 'get', kind, name, '-o', 'json']))

  it('creates, is then in sync, finds drift where it is, and heals it', async () => {
    await open({ 'stack/all.yaml': [CONFIG('  a: "1"\n  b: "2"\n'), DEPLOYMENT, SECRET].join('\n---\n') })
    const first = await stack.deploy()
    expect(placesOf(first.planned)).toEqual([
      `ConfigMap/${namespace}/app (create)`,
      `Deployment/${namespace}/web (create)`,
      `Secret/${namespace}/app (create)`,
    ])
    expect(first.result).toMatchObject({ status: 'applied', findings: [] })
    expect(JSON.stringify(first)).not.toMatch(/correct-horse|Y29ycmVjdC1ob3JzZ/)
    const again = await stack.plan()
    expect(again.changes).toEqual([])
    expect(again.coverage).toEqual({ checked: 3, unchecked: [] })

    patch('configmap', 'app', { data: { a: 'tampered' } })
    patch('deployment', 'web', { spec: { replicas: 5 } })
    patch('secret', 'app', { data: { password: 'aGFja2Vk' } })
    const drift = await stack.plan({ kind: 'drift' })
    expect(placesOf(drift)).toEqual([
      `ConfigMap/${namespace}/app data.a`,
      `Deployment/${namespace}/web spec.replicas`,
      `Secret/${namespace}/app data.password`,
    ])
    expect(drift.changes.every(({ cause }) => cause === 'drift')).toBe(true)
    expect(drift.changes[1]).toMatchObject({ reason: 'set by "kubectl-patch"', attributes: [{ before: 5, after: 2 }] })
    expect(drift.findings.map(({ code }) => code)).toEqual(['field_conflict', 'field_conflict', 'field_conflict'])
    expect(JSON.stringify(drift)).not.toMatch(/correct-horse|Y29ycmVjdC1ob3JzZ|hacked|aGFja2Vk/)
    expect((await stack.deploy({ kind: 'heal' })).result.status).toBe('applied')
    expect((await stack.plan()).changes).toEqual([])
    expect(get('deployment', 'web').spec.replicas).toBe(2)
  })
})
