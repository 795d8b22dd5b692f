import { coerce, lt } from 'semver'
import { expect, it } from 'vitest'
import type { DriverPlan } from '../../../domain/plans/plan.ts'
import { findTool } from '../../../../test/tools.ts'
import { CONFIG, DEPLOYMENT, describeOnCluster } from '../../../../test/kube/describe-on-cluster.ts'
import { kubernetesDriver } from '../index.ts'
import { placesOf } from '../testing/stack.ts'

describeOnCluster('what cannot be done, or not be known', (world) => {
  it('says what cannot be changed in place, and replaces it only when that is allowed', async () => {
    const job = (image: string, more = ''): string =>
      `apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: once\n${more}spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: ${image}}]}}}\n`
    await world.open({ 'stack/job.yaml': job('one') })
    await world.stack.deploy()
    await world.stack.write({ 'stack/job.yaml': job('two') })
    await expect(world.stack.plan()).rejects.toMatchObject({
      code: 'SOURCE_INVALID',
      message: expect.stringMatching(/cannot be changed in place.*trueup\.dev\/replace/s),
    })
    await world.stack.write({ 'stack/job.yaml': job('two', '  annotations: {trueup.dev/replace: "true"}\n') })
    const { planned, result } = await world.stack.deploy()
    expect(planned.changes[0]?.actions).toEqual(['replace'])
    expect(planned.changes[0]?.attributes.map(({ path }) => path)).toContain('spec.template.spec.containers[0].image')
    expect(result.status).toBe('applied')
    expect(world.get('job', 'once').spec.template.spec.containers[0].image).toBe('two')
    expect((await world.stack.plan()).changes).toEqual([])
  })

  it('is stale when an object has changed since the plan', async () => {
    await world.open({ 'stack/a.yaml': CONFIG('  a: "1"\n') })
    await world.stack.deploy()
    await world.stack.write({ 'stack/a.yaml': CONFIG('  a: "2"\n') })
    const context = await world.stack.next()
    const planned = await kubernetesDriver.plan(context)
    world.patch('configmap', 'app', { data: { a: '3' } })
    await expect(kubernetesDriver.apply(context, planned)).rejects.toMatchObject({ code: 'PLAN_STALE' })
    expect(world.get('configmap', 'app').data.a).toBe('3')
  })

  it('plans with rights to read alone, and names what it could not ask', async () => {
    await world.open({ 'stack/all.yaml': [CONFIG('  a: "1"\n'), DEPLOYMENT].join('\n---\n') })
    await world.stack.deploy()
    const config = { ...world.stack.context.config, context: 'viewer' }
    // The Deployment's `0.1` of a CPU is `100m` in the cluster, which is the same without asking.
    expect((await world.stack.plan({ config })).coverage).toEqual({ checked: 2, unchecked: [] })
    world.patch('configmap', 'app', { data: { a: 'x' } })
    const drift = await world.stack.plan({ config })
    expect(placesOf(drift)).toEqual([`ConfigMap/${world.namespace}/app data.a`])
    expect(drift.coverage.unchecked.map(({ address }) => address)).toContain(`ConfigMap/${world.namespace}/app`)
    const context = await world.stack.next({ config })
    const planned = await kubernetesDriver.plan(context)
    const denied = await kubernetesDriver.apply(context, planned).catch((thrown: unknown) => thrown)
    expect(denied).toMatchObject({
      status: 'failed',
      resources: [{ status: 'failed', message: expect.stringMatching(/cannot patch resource "configmaps"/) }],
    })
  })

  it('says which namespace, kind or cluster is missing', async () => {
    await world.open({ 'stack/a.yaml': CONFIG('  a: "1"\n').replace('name: app', 'name: app, namespace: nowhere') })
    await expect(world.stack.plan()).rejects.toMatchObject({
      code: 'SOURCE_INVALID',
      message: expect.stringContaining('there is no namespace "nowhere"'),
    })
    await world.stack.write({ 'stack/a.yaml': 'apiVersion: example.org/v1\nkind: Thing\nmetadata: {name: x}\n' })
    await expect(world.stack.plan()).rejects.toMatchObject({
      code: 'SOURCE_INVALID',
      message: expect.stringContaining('Thing (example.org/v1)'),
    })
    const old = CONFIG('  a: "1"\n').replace(
      'apiVersion: v1\nkind: ConfigMap',
      'apiVersion: apps/v1beta1\nkind: Deployment',
    )
    await world.stack.write({ 'stack/a.yaml': old })
    await expect(world.stack.plan()).rejects.toMatchObject({
      code: 'SOURCE_INVALID',
      message: expect.stringContaining('Deployment (apps/v1beta1) but in apps/v1'),
    })
    const env = { ...world.stack.context.env, KUBECONFIG: '/nowhere/kubeconfig' }
    await expect(world.stack.plan({ env })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  })

  it('refuses instead of overwriting where it is told to', async () => {
    await world.open({ 'stack/a.yaml': CONFIG('  a: "1"\n') }, { with: { conflicts: 'refuse' } })
    await world.stack.deploy()
    world.patch('configmap', 'app', { data: { a: '2' } })
    await expect(world.stack.plan()).rejects.toMatchObject({
      code: 'SOURCE_INVALID',
      message: expect.stringMatching(/data\.a \(kubectl-patch\)/),
    })
  })

  /** A webhook for the ConfigMaps of the namespace; nobody listens at its address. */
  async function interceptConfigMaps(more: object, see: () => Promise<void>): Promise<void> {
    world.cluster.kubectl(['label', 'namespace', world.namespace, 'hooked=yes'])
    const webhook = {
      name: 'hook.example.org',
      clientConfig: { url: 'https://127.0.0.1:1/' },
      rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['*'], resources: ['configmaps'] }],
      namespaceSelector: { matchLabels: { hooked: 'yes' } },
      ...more,
    }
    const apiVersion = `admissionregistration.k8s.io/${'admissionReviewVersions' in more ? 'v1' : 'v1beta1'}`
    const kind = 'ValidatingWebhookConfiguration'
    const whole = { apiVersion, kind, metadata: { name: world.namespace }, webhooks: [webhook] }
    world.cluster.kubectl(['create', '-f', '-'], JSON.stringify(whole))
    try {
      await see()
    } finally {
      world.cluster.kubectl(['delete', kind, world.namespace])
    }
  }

  /** A plan made when the API server has learnt of the webhook, from a watch of its own. */
  async function plannedBehindWebhook(): Promise<DriverPlan> {
    let planned = await world.stack.plan()
    for (let attempt = 0; attempt < 50 && planned.coverage.unchecked.length === 0; attempt++)
      planned = await world.stack.plan()
    return planned
  }

  // Servers since 1.22 take no webhook any more that has side effects.
  const takesSideEffects = lt(coerce(findTool('kube-apiserver')?.version) ?? '0.0.0', '1.22.0')
  it.runIf(takesSideEffects)('compares by itself where a webhook refuses dry runs, and says so', async () => {
    await world.open({ 'stack/a.yaml': CONFIG('  a: "1"\n') })
    await world.stack.deploy()
    await interceptConfigMaps({ sideEffects: 'Some', failurePolicy: 'Ignore' }, async () => {
      world.patch('configmap', 'app', { data: { a: '2' } })
      const planned = await plannedBehindWebhook()
      expect(placesOf(planned)).toEqual([`ConfigMap/${world.namespace}/app data.a`])
      expect(planned.coverage.unchecked).toEqual([
        { address: `ConfigMap/${world.namespace}/app`, why: expect.stringContaining('does not support dry run') },
      ])
    })
  })

  it('plans past a webhook whose server is away, and says what it could not ask', async () => {
    await world.open({ 'stack/a.yaml': CONFIG('  a: "1"\n') })
    await world.stack.deploy()
    const away = { admissionReviewVersions: ['v1'], sideEffects: 'None', failurePolicy: 'Fail' }
    await interceptConfigMaps(away, async () => {
      await world.stack.write({ 'stack/a.yaml': CONFIG('  a: "2"\n'), 'stack/b.yaml': DEPLOYMENT })
      const planned = await plannedBehindWebhook()
      expect(placesOf(planned)).toEqual([
        `ConfigMap/${world.namespace}/app data.a`,
        `Deployment/${world.namespace}/web (create)`,
      ])
      expect(planned.coverage.unchecked).toEqual([
        { address: `ConfigMap/${world.namespace}/app`, why: expect.stringContaining('hook.example.org') },
      ])
    })
  })

  it('finds what is wrong with objects whose namespace comes with them, before anything is made', async () => {
    const name = `${world.namespace}-new`
    const namespace = `apiVersion: v1\nkind: Namespace\nmetadata: {name: ${name}}\n`
    const inside = (text: string): string => text.replace('{name: web', `{namespace: ${name}, name: web`)
    const broken = inside(DEPLOYMENT).replace('image: nginx:1.25', 'imagePullPolicy: Sometimes')
    await world.open({ 'stack/a.yaml': namespace, 'stack/b.yaml': broken })
    await expect(world.stack.plan()).rejects.toMatchObject({
      code: 'SOURCE_INVALID',
      message: expect.stringMatching(/image: Required.*imagePullPolicy|imagePullPolicy.*image: Required/s),
    })
    await world.stack.write({ 'stack/b.yaml': inside(DEPLOYMENT) })
    // A twin in the namespace that is asked about says nothing, whatever cannot be changed of it.
    const twin = DEPLOYMENT.replace('matchLabels: {app: web}', 'matchLabels: {app: twin}')
    world.cluster.kubectl(
      ['-n', 'default', 'create', '-f', '-'],
      twin.replace('metadata: {labels: {app: web}}', 'metadata: {labels: {app: twin}}'),
    )
    try {
      const { planned, result } = await world.stack.deploy()
      expect(planned.coverage.unchecked).toEqual([
        { address: `Deployment/${name}/web`, why: expect.stringContaining('its namespace comes with this stack') },
      ])
      expect(result.status).toBe('applied')
      expect((await world.stack.plan()).changes).toEqual([])
    } finally {
      world.cluster.kubectl(['-n', 'default', 'delete', 'deployment', 'web'])
    }
  })

  it('plans and applies a definition together with objects that need its new form', async () => {
    const group = `${world.namespace}.example.org`
    const version = (name: string, more: string, isStored: boolean): string =>
      `    - {name: ${name}, served: true, storage: ${isStored}, schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {size: {type: integer}${more}}}}}}}\n`
    const definition = (...versions: string[]): string =>
      `apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: things.${group}}\nspec:\n  group: ${group}\n  scope: Namespaced\n  names: {plural: things, singular: thing, kind: Thing, listKind: ThingList}\n  versions:\n${versions.join('')}`
    const thing = (name: string, spec: string, apiVersion = 'v1'): string =>
      `apiVersion: ${group}/${apiVersion}\nkind: Thing\nmetadata: {name: ${name}}\nspec: ${spec}\n`
    await world.open({ 'stack/crd.yaml': definition(version('v1', '', true)), 'stack/a.yaml': thing('a', '{size: 1}') })
    expect((await world.stack.deploy()).result.status).toBe('applied')
    await world.stack.write({
      'stack/crd.yaml': definition(version('v1', ', color: {type: string}', true)),
      'stack/a.yaml': thing('a', '{size: 1, color: red}'),
      'stack/b.yaml': thing('b', '{size: 2, color: blue}'),
    })
    const second = await world.stack.deploy()
    expect(placesOf(second.planned).filter((place) => place.startsWith('Thing'))).toEqual([
      `Thing.${group}/${world.namespace}/a spec.color`,
      `Thing.${group}/${world.namespace}/b (create)`,
    ])
    expect(second.planned.coverage.unchecked.map(({ why }) => why)).toEqual(
      Array(2).fill('its CustomResourceDefinition changes with this stack, so the cluster cannot check it yet'),
    )
    expect(second.result.status).toBe('applied')
    expect(world.get(`things.${group}`, 'a').spec).toEqual({ size: 1, color: 'red' })
    expect((await world.stack.plan()).changes).toEqual([])
    await world.stack.write({
      'stack/crd.yaml': definition(
        version('v1', ', color: {type: string}', false),
        version('v2', ', color: {type: string}', true),
      ),
      'stack/a.yaml': thing('a', '{size: 3, color: red}', 'v2'),
    })
    const third = await world.stack.deploy()
    expect(placesOf(third.planned)).toContain(`Thing.${group}/${world.namespace}/a spec.size`)
    expect(third.result.status).toBe('applied')
    await expect.poll(async () => (await world.stack.plan()).changes, { timeout: 180_000 }).toEqual([])
  })
})
