import { expect, it } from 'vitest'
import { CONFIG, SECRET, describeOnCluster } from '../../../../test/kube/describe-on-cluster.ts'
import { openStack, placesOf } from '../testing/stack.ts'

describeOnCluster('what goes away', (world) => {
  it('prunes by its inventory, keeps what is annotated so, and asks before data goes', async () => {
    const map = (name: string, prune?: string): string =>
      `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n${prune ? `  annotations: {trueup.dev/prune: ${prune}}\n` : ''}data: {a: b}\n`
    const claim = `apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}\nspec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}\n`
    await world.open({
      'stack/stays.yaml': map('stays'),
      'stack/goes.yaml': map('goes'),
      'stack/kept.yaml': map('kept', 'keep'),
      'stack/asks.yaml': map('asks', 'confirm'),
      'stack/claim.yaml': claim,
    })
    await world.stack.deploy()
    await world.stack.write({
      'stack/goes.yaml': null,
      'stack/kept.yaml': null,
      'stack/asks.yaml': null,
      'stack/claim.yaml': null,
    })
    const { planned, result } = await world.stack.deploy()
    expect(placesOf(planned)).toEqual([
      `ConfigMap/${world.namespace}/goes (delete)`,
      `ConfigMap/${world.namespace}/kept (forget)`,
    ])
    expect(planned.findings.map(({ code, message }) => `${code} ${message.split(' ')[0]}`).toSorted()).toEqual([
      `prune_waits ConfigMap/${world.namespace}/asks`,
      `prune_waits PersistentVolumeClaim/${world.namespace}/data`,
    ])
    expect(result.status).toBe('applied')
    const names = (): string[] =>
      JSON.parse(world.cluster.kubectl(['-n', world.namespace, 'get', 'cm', '-o', 'json'])).items.map(
        ({ metadata }: { metadata: { name: string } }) => metadata.name,
      )
    expect(names().filter((name) => !name.startsWith('trueup-'))).toEqual(['asks', 'kept', 'stays'])
    expect((await world.stack.plan()).changes).toEqual([])
    world.cluster.kubectl(['-n', world.namespace, 'annotate', 'cm', 'asks', 'trueup.dev/prune-confirmed=yes'])
    expect(placesOf(await world.stack.plan())).toEqual([`ConfigMap/${world.namespace}/asks (delete)`])
  })

  it('never prunes because nothing is rendered', async () => {
    await world.open({ 'stack/a.yaml': CONFIG('  a: "1"\n') })
    await world.stack.deploy()
    await world.stack.write({ 'stack/a.yaml': '# emptied\n' })
    await expect(world.stack.plan()).rejects.toMatchObject({
      code: 'SOURCE_INVALID',
      message: expect.stringContaining('delete all 1'),
    })
  })

  it('does not delete what another stack has taken over', async () => {
    await world.open({ 'stack/a.yaml': CONFIG('  a: "1"\n'), 'stack/b.yaml': SECRET })
    await world.stack.deploy()
    const other = await openStack({
      kubeconfig: world.cluster.kubeconfig,
      files: { 'other/a.yaml': CONFIG('  a: "1"\n') },
      path: 'other',
      name: `${world.namespace}-other`,
      with: { namespace: world.namespace },
    })
    try {
      await expect(other.plan()).rejects.toMatchObject({
        code: 'SOURCE_INVALID',
        message: expect.stringMatching(/app belongs to stack .*, and an object has one stack.*`takeOver:`/),
      })
      const config = { ...other.context.config, takeOver: ['ConfigMap/*/app'] }
      const { planned } = await other.deploy({ config })
      expect(placesOf(planned)).toEqual([`ConfigMap/${world.namespace}/app metadata.annotations["trueup.dev/stack"]`])
      expect(planned.findings.map(({ code }) => code)).toContain('shared_object')
      await expect(world.stack.plan({ kind: 'drift' })).rejects.toMatchObject({ code: 'SOURCE_INVALID' })
      await world.stack.write({ 'stack/a.yaml': null })
      expect(placesOf((await world.stack.deploy()).planned)).toEqual([`ConfigMap/${world.namespace}/app (forget)`])
      expect(world.get('configmap', 'app').data).toEqual({ a: '1' })
      expect((await other.plan()).changes).toEqual([])
    } finally {
      await other.remove()
    }
  })

  it('takes nothing over from another environment, and names its objects as the cluster knows them', async () => {
    await world.open({ 'stack/a.yaml': CONFIG('  a: "1"\n') })
    const { planned } = await world.stack.deploy()
    const uid = world.cluster.kubectl(['get', 'ns', 'kube-system', '-o', 'jsonpath={.metadata.uid}'])
    expect(planned.places).toEqual([{ address: `kubernetes:${uid} /ConfigMap/${world.namespace}/app`, shared: true }])
    const other = await openStack({
      kubeconfig: world.cluster.kubeconfig,
      files: { 'stack/a.yaml': CONFIG('  a: "2"\n') },
      environment: 'production',
      name: world.namespace,
      with: { namespace: world.namespace },
    })
    try {
      await expect(other.plan()).rejects.toMatchObject({ message: expect.stringContaining('belongs to stack test/') })
      expect(world.get('configmap', 'app').data).toEqual({ a: '1' })
    } finally {
      await other.remove()
    }
  })

  it('destroys what it has made, and is then done', async () => {
    await world.open({ 'stack/all.yaml': [CONFIG('  a: "1"\n'), SECRET].join('\n---\n') })
    await world.stack.deploy()
    const { planned, result } = await world.stack.deploy({ destroy: true, kind: 'destroy' })
    expect(placesOf(planned)).toEqual([
      `ConfigMap/${world.namespace}/app (delete)`,
      `Secret/${world.namespace}/app (delete)`,
    ])
    expect(result.status).toBe('applied')
    expect(world.cluster.kubectl(['-n', world.namespace, 'get', 'cm,secret', '-o', 'name']).trim()).toBe('')
    expect((await world.stack.plan({ destroy: true, kind: 'destroy' })).changes).toEqual([])
  })

  it('shares a namespace that another stack has made', async () => {
    const settings = { with: { namespace: `${world.namespace}-shared`, createNamespace: true } }
    const first = await world.open({ 'stack/a.yaml': CONFIG('  a: "1"\n') }, settings)
    await first.deploy()
    const other = CONFIG('  a: "1"\n').replace('name: app', 'name: other')
    const second = await world.open({ 'stack/b.yaml': other }, { ...settings, name: 'second' })
    const { planned, result } = await second.deploy()
    expect(placesOf(planned)).toEqual([`ConfigMap/${world.namespace}-shared/other (create)`])
    expect(result.status).toBe('applied')
    for (const stack of [first, second]) expect((await stack.plan()).changes).toEqual([])
  })

  it('creates its namespace, acts as another user, and leaves the namespace behind', async () => {
    const own = `${world.namespace}-own`
    await world.open({ 'stack/a.yaml': CONFIG('  a: "1"\n') }, { with: { namespace: own, createNamespace: true } })
    const impersonate = { user: 'nobody', groups: ['system:authenticated'] }
    const config = { ...world.stack.context.config, impersonate }
    await expect(world.stack.plan({ config })).rejects.toMatchObject({
      code: 'TARGET_DENIED',
      message: expect.stringContaining('User "nobody" cannot get resource "configmaps"'),
    })
    expect((await world.stack.plan({ destroy: true, kind: 'destroy' })).changes).toEqual([])
    expect((await world.stack.deploy()).result.status).toBe('applied')
    expect((await world.stack.plan()).changes).toEqual([])
    expect(placesOf((await world.stack.deploy({ destroy: true, kind: 'destroy' })).planned)).toEqual([
      `ConfigMap/${own}/app (delete)`,
    ])
    expect(world.cluster.kubectl(['get', 'namespace', own, '-o', 'name']).trim()).toBe(`namespace/${own}`)
  })

  it('writes its inventory anew when somebody has deleted it', async () => {
    await world.open({ 'stack/a.yaml': CONFIG('  a: "1"\n') })
    await world.stack.deploy()
    const [name] = world.cluster
      .kubectl(['-n', world.namespace, 'get', 'cm', '-o', 'name', '-l', 'app.kubernetes.io/managed-by=trueup'])
      .trim()
      .split('\n')
    world.cluster.kubectl(['-n', world.namespace, 'delete', name!])
    const { planned, result } = await world.stack.deploy()
    expect(planned.changes).toMatchObject([{ actions: ['create'], reason: 'the inventory of this stack' }])
    expect(result).toMatchObject({ status: 'applied', resources: [{ status: 'done' }] })
    expect((await world.stack.plan()).changes).toEqual([])
  })
})
