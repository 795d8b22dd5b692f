import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { STARTING_MS, startCluster, type TestCluster } from '../../../../test/kube/cluster.ts'
import { openWire, type Wire } from '../../../../test/kube/wire.ts'
import { describeWithTool } from '../../../../test/tools.ts'
import type { Watch } from '../../driver.ts'
import { kubernetesDriver } from '../index.ts'
import { openStack, placesOf, type TestStack } from '../testing/stack.ts'

const MAP = (name: string, value: string): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\ndata: {a: "${value}"}\n`
const POD = `apiVersion: v1\nkind: Pod\nmetadata: {name: pod}\nspec: {containers: [{name: a, image: b}]}\n`

async function until(what: string, condition: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < 500; attempt++) {
    if (condition()) return
    await sleep(20)
  }
  throw new Error(`${what} has not come true in ten seconds`)
}

describeWithTool('kube-apiserver', 'watching', () => {
  let cluster: TestCluster
  let wire: Wire
  let stack: TestStack
  let watch: Watch | undefined
  let namespace: string
  let events: string[]
  let count = 0

  beforeAll(async () => {
    cluster = await startCluster()
    wire = await openWire(cluster)
  }, STARTING_MS)
  afterAll(async () => {
    wire?.close()
    await cluster?.stop()
  })
  beforeEach(async () => {
    namespace = `watch-${++count}`
    cluster.kubectl(['create', 'namespace', namespace])
    stack = await openStack({
      kubeconfig: wire.kubeconfig,
      files: { 'stack/a.yaml': MAP('a', '1'), 'stack/b.yaml': MAP('b', '1'), 'stack/pod.yaml': POD },
      name: namespace,
      with: { namespace },
    })
    expect((await stack.deploy()).result.status).toBe('applied')
    events = []
    watch = await kubernetesDriver.watch!(await stack.next(), (addresses) => events.push(...addresses))
  })
  afterEach(async () => {
    await watch?.close()
    await stack.remove()
  })

  const patch = (kind: string, name: string, body: object): Promise<unknown> =>
    cluster.api('PATCH', `/api/v1/namespaces/${namespace}/${kind}/${name}`, body, 'application/merge-patch+json')

  it('reports what was changed or deleted, and neither strangers nor the status', async () => {
    await cluster.api('POST', `/api/v1/namespaces/${namespace}/configmaps`, {
      metadata: { name: 'stranger' },
    })
    await patch('pods', 'pod/status', { status: { phase: 'Running' } })
    await patch('configmaps', 'a', { data: { a: 'tampered' } })
    await until('the event', () => events.length > 0)
    expect(events).toEqual([`ConfigMap/${namespace}/a`])
    expect(placesOf(await stack.plan({ kind: 'drift' }))).toEqual([`ConfigMap/${namespace}/a data.a`])
    cluster.kubectl(['-n', namespace, 'delete', 'cm', 'b'])
    await until('the deletion', () => events.includes(`ConfigMap/${namespace}/b`))
    expect(placesOf(await stack.plan({ kind: 'drift' }))).toEqual([
      `ConfigMap/${namespace}/a data.a`,
      `ConfigMap/${namespace}/b (create)`,
    ])
    expect((await stack.deploy({ kind: 'heal' })).result.status).toBe('applied')
    expect((await stack.plan()).changes).toEqual([])
  })

  it('goes on after the connection was cut, and tells what happened meanwhile', async () => {
    wire.cut()
    await patch('configmaps', 'a', { data: { a: 'while nobody looked' } })
    await sleep(300)
    expect(events).toEqual([])
    wire.mend()
    await until('the event', () => events.includes(`ConfigMap/${namespace}/a`))
    await patch('configmaps', 'b', { data: { a: 'later' } })
    await until('the next event', () => events.includes(`ConfigMap/${namespace}/b`))
  })

  it('looks for itself while the watch hears nothing', async () => {
    wire.cut()
    await patch('configmaps', 'a', { data: { a: 'x' } })
    await sleep(50)
    wire.mend()
    expect(placesOf(await stack.plan({ kind: 'drift' }))).toEqual([`ConfigMap/${namespace}/a data.a`])
  })

  it('ends when it is closed', async () => {
    await watch?.close()
    await patch('configmaps', 'a', { data: { a: 'x' } })
    await sleep(200)
    expect(events).toEqual([])
  })
})
