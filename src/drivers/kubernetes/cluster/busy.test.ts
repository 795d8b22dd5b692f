import { afterEach, expect, it } from 'vitest'
import { type BusyServer, openBusyServer } from '../../../../test/kube/busy-server.ts'
import { CONFIG, describeOnCluster } from '../../../../test/kube/describe-on-cluster.ts'
import { placesOf } from '../testing/stack.ts'

const MAP = CONFIG('  a: "1"\n')

describeOnCluster('a server that answers 429', (world) => {
  let busy: BusyServer | undefined
  afterEach(() => {
    busy?.close()
    busy = undefined
  })

  it('while its storage initialises is asked again until it has begun, and nothing is done twice', async () => {
    const starting = { message: 'storage is (re)initializing' }
    // More often than a busy server is asked again; the first time with the time that it wants.
    busy = await openBusyServer(world.cluster, (path, before) => {
      if (!path.endsWith('/configmaps/app') || before >= 7) return null
      return before === 0 ? { ...starting, retryAfter: '1' } : starting
    })
    const { kubeconfig } = busy
    await world.open({ 'stack/app.yaml': MAP }, { kubeconfig })
    const { planned, result } = await world.stack.deploy()
    expect(placesOf(planned)).toEqual([`ConfigMap/${world.namespace}/app (create)`])
    expect(result).toMatchObject({ status: 'applied', findings: [] })
    expect(busy.refused()).toBe(7)
    expect(world.get('configmap', 'app')).toMatchObject({ data: { a: '1' } })
  })

  it('for another reason is given up after a few tries, with what it said', async () => {
    const said = 'too many requests, please try again later'
    busy = await openBusyServer(world.cluster, (path) => (path.endsWith('/configmaps/app') ? { message: said } : null))
    await world.open({ 'stack/app.yaml': MAP }, { kubeconfig: busy.kubeconfig })
    await expect(world.stack.plan()).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining(said),
    })
    expect(busy.refused()).toBe(5)
  })
})
