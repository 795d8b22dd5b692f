import { expect, it } from 'vitest'
import { CONFIG, describeOnCluster } from '../../../../test/kube/describe-on-cluster.ts'
import { openStack, placesOf } from '../testing/stack.ts'

const SERVICE =
  'apiVersion: v1\nkind: Service\nmetadata: {name: stays}\nspec: {ports: [{port: 80}], selector: {app: web}}\n'

describeOnCluster('what goes away, wherever it is', (world) => {
  it('prunes kinds that the preferred version of their group does not have', async () => {
    const { versions } = JSON.parse(world.cluster.kubectl(['get', '--raw', '/apis/batch']))
    const served = versions.map(({ groupVersion }: { groupVersion: string }) => groupVersion)
    const apiVersion = served.includes('batch/v1beta1') ? 'batch/v1beta1' : 'batch/v1'
    const cron = `apiVersion: ${apiVersion}\nkind: CronJob\nmetadata: {name: nightly}\nspec: {schedule: "0 3 * * *", jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: a}]}}}}}\n`
    await world.open({ 'stack/a.yaml': SERVICE, 'stack/cron.yaml': cron })
    await world.stack.deploy()
    await world.stack.write({ 'stack/cron.yaml': null })
    const { planned, result } = await world.stack.deploy()
    expect(placesOf(planned)).toEqual([`CronJob/${world.namespace}/nightly (delete)`])
    expect(result.status).toBe('applied')
    expect(world.cluster.kubectl(['-n', world.namespace, 'get', 'cronjob', '-o', 'name'])).toBe('')
  })

  it('does not delete an object that has only changed its group', async ({ skip }) => {
    const both = world.cluster.kubectl(['api-versions']).split('\n')
    skip(!both.includes('extensions/v1beta1'), 'the cluster serves extensions/v1beta1 no more')
    const old = `apiVersion: extensions/v1beta1\nkind: Ingress\nmetadata: {name: web}\nspec: {rules: [{host: a.example, http: {paths: [{path: /, pathType: Prefix, backend: {serviceName: web, servicePort: 80}}]}}]}\n`
    const now = `apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: web}\nspec: {rules: [{host: a.example, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]}\n`
    await world.open({ 'stack/ingress.yaml': old })
    expect((await world.stack.deploy()).result.status).toBe('applied')
    await world.stack.write({ 'stack/ingress.yaml': now })
    const { planned, result } = await world.stack.deploy()
    expect(planned.changes.flatMap(({ actions }) => actions)).not.toContain('delete')
    expect(result.status).toBe('applied')
    expect(world.get('ingress.networking.k8s.io', 'web').spec.rules).toHaveLength(1)
    expect((await world.stack.plan()).changes).toEqual([])
    expect(placesOf((await world.stack.deploy({ destroy: true, kind: 'destroy' })).planned)).toEqual([
      `Ingress/${world.namespace}/web (delete)`,
    ])
  })

  it('takes what it made along when its namespace changes', async () => {
    const other = `${world.namespace}-other`
    world.cluster.kubectl(['create', 'namespace', other])
    await world.open({ 'stack/a.yaml': CONFIG('  a: "1"\n') })
    await world.stack.deploy()
    const config = { ...world.stack.context.config, namespace: other }
    const { planned, result } = await world.stack.deploy({ config })
    expect(placesOf(planned)).toEqual([`ConfigMap/${other}/app (create)`, `ConfigMap/${world.namespace}/app (delete)`])
    expect(result.status).toBe('applied')
    expect(world.cluster.kubectl(['-n', world.namespace, 'get', 'configmap', '-o', 'name'])).not.toContain('/app')
    expect((await world.stack.plan({ config })).changes).toEqual([])
    const inventories = ['get', 'configmap', '-A', '-o', 'name', '-l', 'app.kubernetes.io/managed-by=trueup']
    const before = world.cluster.kubectl(inventories).split('\n').length
    await world.stack.deploy({ config, destroy: true, kind: 'destroy' })
    expect(world.cluster.kubectl(inventories).split('\n')).toHaveLength(before - 1)
  })

  it('forgets what has gone with its kind', async () => {
    const group = `${world.namespace}.example.org`
    const names = '{plural: things, singular: thing, kind: Thing, listKind: ThingList}'
    const schema = '{openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}'
    const definition = `apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: things.${group}}\nspec: {group: ${group}, scope: Namespaced, names: ${names}, versions: [{name: v1, served: true, storage: true, schema: ${schema}}]}\n`
    world.cluster.kubectl(['create', '-f', '-'], definition)
    world.cluster.kubectl(['wait', '--for=condition=Established', `crd/things.${group}`])
    await world.open({
      'stack/a.yaml': CONFIG('  a: "1"\n'),
      'stack/thing.yaml': `apiVersion: ${group}/v1\nkind: Thing\nmetadata: {name: x}\nspec: {a: 1}\n`,
    })
    expect((await world.stack.deploy()).result.status).toBe('applied')
    world.cluster.kubectl(['delete', 'crd', `things.${group}`])
    // The worker knew the kind a moment ago.
    const drift = (): Promise<string> => world.stack.plan({ kind: 'drift' }).then(() => 'planned', String)
    await expect.poll(drift, { timeout: 30_000 }).toContain('the cluster does not know Thing')
    await world.stack.write({ 'stack/thing.yaml': null })
    await expect.poll(async () => (await world.stack.plan()).coverage.unchecked, { timeout: 180_000 }).toEqual([])
    const { planned } = await world.stack.deploy()
    expect(planned.coverage.unchecked).toEqual([])
    expect((await world.stack.plan()).changes).toEqual([])
  })

  it('remembers what a finalizer holds, until it is gone', async () => {
    const held = CONFIG('  a: "1"\n').replace('name: app', 'name: held, finalizers: [example.org/hold]')
    await world.open({ 'stack/a.yaml': CONFIG('  a: "1"\n'), 'stack/held.yaml': held })
    await world.stack.deploy()
    await world.stack.write({ 'stack/held.yaml': null })
    expect((await world.stack.deploy()).result.status).toBe('applied')
    const waiting = await world.stack.plan()
    expect(waiting.changes).toEqual([])
    expect(waiting.findings).toMatchObject([
      { code: 'being_deleted', message: expect.stringContaining('held by its finalizers example.org/hold') },
    ])
    const config = { ...world.stack.context.config, wait: true, waitTimeout: '1s' }
    const stuck = await world.stack.deploy({ config, destroy: true, kind: 'destroy' })
    expect(stuck.result.status).toBe('failed')
    expect(stuck.result.resources.find(({ status }) => status === 'failed')?.message).toContain('example.org/hold')
    world.patch('configmap', 'held', { metadata: { finalizers: null } })
    const { result } = await world.stack.deploy({ config, destroy: true, kind: 'destroy' })
    expect(result.status).toBe('applied')
    expect((await world.stack.plan({ destroy: true, kind: 'destroy' })).changes).toEqual([])
  })

  it('says that it cannot know of another namespace where it may not look', async () => {
    const viewer =
      'subjects: [{kind: User, name: narrow}]\nroleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}\n'
    const binding = `apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: narrow}\n${viewer}`
    world.cluster.kubectl(['-n', world.namespace, 'create', '-f', '-'], binding)
    const stack = await openStack({
      kubeconfig: world.cluster.kubeconfig,
      files: { 'stack/a.yaml': CONFIG('  a: "1"\n') },
      with: { namespace: world.namespace, impersonate: { user: 'narrow', groups: ['system:authenticated'] } },
    })
    try {
      const { findings } = await stack.plan()
      expect(findings.map(({ code }) => code)).toEqual(['inventory_not_searched'])
    } finally {
      await stack.remove()
    }
  })
})
