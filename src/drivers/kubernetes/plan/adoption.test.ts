import { expect, it } from 'vitest'
import { CONFIG, DEPLOYMENT, describeOnCluster } from '../../../../test/kube/describe-on-cluster.ts'
import { placesOf } from '../testing/stack.ts'

/** Of this, Git has neither the label, the node selector, the limits nor the volumes. */
const BEFORE = DEPLOYMENT.replace('labels: {app: web}}\nspec', 'labels: {app: web, old: "1"}}\nspec')
  .replace('    spec:\n', '    spec:\n      nodeSelector: {disk: ssd}\n      volumes: [{name: tmp, emptyDir: {}}]\n')
  .replace('{requests: {cpu: "0.1", memory: 64Mi}}', '{requests: {cpu: "0.1", memory: 64Mi}, limits: {cpu: "2"}}')
  .replace('          env:', '          volumeMounts: [{name: tmp, mountPath: /tmp}]\n          env:')

describeOnCluster('what others have declared before', (world) => {
  it.each([
    ['kubectl apply', ['apply', '-f', '-']],
    ['kubectl create', ['create', '-f', '-']],
    ['kubectl apply --server-side', ['apply', '--server-side', '-f', '-']],
    ['helm', ['create', '--field-manager=helm', '-f', '-']],
  ])('goes where Git does not want it: %s', async (_what, argv) => {
    const address = `Deployment/${world.namespace}/web`
    world.cluster.kubectl(['-n', world.namespace, ...argv], BEFORE)
    world.cluster.kubectl(['-n', world.namespace, 'label', 'deployment', 'web', 'team=shop'])
    await world.open({ 'stack/web.yaml': DEPLOYMENT })
    const { planned, result } = await world.stack.deploy()
    expect(placesOf(planned)).toEqual([
      `${address} metadata.annotations["trueup.dev/stack"]`,
      `${address} metadata.labels.old`,
      `${address} spec.template.spec.containers[0].resources.limits.cpu`,
      `${address} spec.template.spec.containers[0].volumeMounts[0].mountPath`,
      `${address} spec.template.spec.containers[0].volumeMounts[0].name`,
      `${address} spec.template.spec.nodeSelector.disk`,
      `${address} spec.template.spec.volumes[0].emptyDir`,
      `${address} spec.template.spec.volumes[0].name`,
    ])
    expect(result.status).toBe('applied')
    const { metadata, spec } = world.get('deployment', 'web')
    expect(metadata.labels).toEqual({ app: 'web', team: 'shop' })
    expect(spec.template.spec).not.toHaveProperty('nodeSelector')
    expect(spec.template.spec).not.toHaveProperty('volumes')
    expect((await world.stack.plan()).changes).toEqual([])
    expect((await world.stack.plan({ kind: 'drift' })).changes).toEqual([])
  })

  it('is let go of by a rollback, and deleted where a person takes it out of Git', async () => {
    const { namespace, cluster } = world
    const address = `ConfigMap/${namespace}/app`
    const base = { 'stack/base.yaml': CONFIG('  a: "1"\n').replace('name: app', 'name: base') }
    const gone = { 'stack/app.yaml': null }
    cluster.kubectl(['-n', namespace, 'create', 'configmap', 'app', '--from-literal=a=0'])
    const { uid } = world.get('configmap', 'app').metadata
    await world.open(base)
    await world.stack.deploy()
    const adopting = { 'stack/app.yaml': CONFIG('  a: "1"\n') }
    await world.stack.write(adopting)
    const { planned } = await world.stack.deploy()
    expect(planned.changes).toMatchObject([{ address, actions: ['import', 'update'] }])
    expect((await world.stack.plan()).changes).toEqual([])

    await world.stack.write(gone)
    expect((await world.stack.plan()).changes).toMatchObject([{ address, actions: ['delete'] }])
    const back = await world.stack.deploy({ rollback: true })
    const reason = 'it was there before this stack took it over'
    expect(back.planned.changes).toMatchObject([{ address, actions: ['forget'], reason }])
    expect(world.get('configmap', 'app').metadata).toMatchObject({ uid })
    expect(world.get('configmap', 'app').metadata.annotations ?? {}).toEqual({})
    expect((await world.stack.plan({ kind: 'drift' })).changes).toEqual([])

    // Taken over once more, and made anew meanwhile: the one that is there now is the stack's own.
    await world.stack.write(adopting)
    expect((await world.stack.deploy()).planned.changes[0]?.actions).toEqual(['import', 'update'])
    cluster.kubectl(['-n', namespace, 'delete', 'configmap', 'app'])
    expect((await world.stack.deploy()).planned.changes[0]?.actions).toEqual(['create'])
    await world.stack.write(gone)
    expect((await world.stack.plan({ rollback: true })).changes[0]?.actions).toEqual(['delete'])
  })

  it('outlives a rollback that takes the whole stack back', async () => {
    const { namespace, cluster } = world
    cluster.kubectl(['-n', namespace, 'create', 'configmap', 'app', '--from-literal=a=0'])
    await world.open({
      'stack/app.yaml': CONFIG('  a: "1"\n'),
      'stack/own.yaml': CONFIG('').replace('name: app', 'name: own'),
    })
    await world.stack.deploy()
    const { planned, result } = await world.stack.deploy({ destroy: true, rollback: true })
    expect(result.status).toBe('applied')
    expect(placesOf(planned)).toEqual([`ConfigMap/${namespace}/app (forget)`, `ConfigMap/${namespace}/own (delete)`])
    const left = JSON.parse(cluster.kubectl(['-n', namespace, 'get', 'configmap', '-o', 'json'])).items
    expect(left.map(({ metadata }: { metadata: { name: string } }) => metadata.name)).toEqual(['app'])
  })

  it('stays where a rule ignores it', async () => {
    world.cluster.kubectl(['-n', world.namespace, 'apply', '-f', '-'], BEFORE)
    const ignore = [
      { address: 'Deployment/*', attribute: 'spec.template.spec.nodeSelector' },
      { address: 'Deployment/*', attribute: 'metadata.labels.*' },
    ]
    await world.open({ 'stack/web.yaml': DEPLOYMENT, 'stack/a.yaml': CONFIG('  a: "1"\n') })
    expect((await world.stack.deploy({ ignore })).result.status).toBe('applied')
    const { metadata, spec } = world.get('deployment', 'web')
    expect(metadata.labels.old).toBe('1')
    expect(spec.template.spec.nodeSelector).toEqual({ disk: 'ssd' })
    expect(spec.template.spec).not.toHaveProperty('volumes')
    expect((await world.stack.plan({ ignore })).changes).toEqual([])
  })
})
