import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Kubelet } from '../../../../test/kube/kubelet.ts'
import { STARTING_MS, startCluster, type TestCluster } from '../../../../test/kube/cluster.ts'
import { describeWithTool } from '../../../../test/tools.ts'
import { kubernetesDriver } from '../index.ts'
import { openStack, type TestStack } from '../testing/stack.ts'

const NAMESPACE = 'replaced'
const WEB = (image: string): string => `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  progressDeadlineSeconds: 600
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: '${image}'}]}
`
const LATER = `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: later, annotations: {trueup.dev/wave: '1'}}\n`

describeWithTool('kube-controller-manager', 'a newer change ends the wait of what it replaces', () => {
  let cluster: TestCluster
  let stack: TestStack
  const kubelet = new Kubelet()

  beforeAll(async () => {
    cluster = await startCluster({ controllers: true })
    kubelet.start(cluster, () => NAMESPACE)
    cluster.kubectl(['create', 'namespace', NAMESPACE])
    stack = await openStack({
      kubeconfig: cluster.kubeconfig,
      files: { 'stack/web.yaml': WEB('nginx:1'), 'stack/later.yaml': LATER },
      name: NAMESPACE,
      with: { namespace: NAMESPACE, wait: true, waitTimeout: '10m' },
    })
  }, STARTING_MS)
  afterAll(async () => {
    await stack?.remove()
    await kubelet.stop()
    await cluster?.stop()
  })
  const statusOf = async (path: string): Promise<number> => (await cluster.api('GET', path)).status
  const WEB_PATH = `/apis/apps/v1/namespaces/${NAMESPACE}/deployments/web`
  const LATER_PATH = `/api/v1/namespaces/${NAMESPACE}/configmaps/later`

  it('between two waves: nothing further is begun, and the fix does the rest', async () => {
    kubelet.phase = 'none'
    const replaced = new AbortController()
    const deploying = stack.deploy({ replaced: replaced.signal })
    while ((await statusOf(WEB_PATH)) !== 200) await sleep(20)
    replaced.abort()
    const { result } = await deploying
    expect(result.status).toBe('canceled')
    expect(result.resources.find(({ address }) => address.includes('web'))?.message).toMatch(
      /not waited for any longer/,
    )
    expect(await statusOf(LATER_PATH)).toBe(404)

    kubelet.phase = 'Running'
    await stack.write({ 'stack/web.yaml': WEB('nginx:2') })
    expect((await stack.deploy()).result.status).toBe('applied')
    expect(await statusOf(LATER_PATH)).toBe(200)
  })

  it('after an apply: not healthy, and not failed', async () => {
    kubelet.phase = 'none'
    await stack.write({ 'stack/web.yaml': WEB('nginx:3') })
    expect((await stack.deploy({ config: { ...stack.context.config, wait: false } })).result.status).toBe('applied')
    const verdict = await kubernetesDriver.health!(await stack.next({ replaced: AbortSignal.abort() }))
    expect(verdict).toMatchObject({ healthy: false, cutShort: true })
    expect(verdict.lines.join()).toMatch(/web: .*\(not waited for any longer/)
    expect((await stack.plan()).changes).toEqual([])
  })

  it('never hides that something is healthy', async () => {
    kubelet.phase = 'Running'
    expect((await kubernetesDriver.health!(await stack.next())).healthy).toBe(true)
    const verdict = await kubernetesDriver.health!(await stack.next({ replaced: AbortSignal.abort() }))
    expect(verdict).toEqual({ healthy: true, lines: ['2 objects are healthy'] })
  })
})
