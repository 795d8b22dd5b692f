import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { type Looked, startCluster, type TestCluster } from '../../../test/kube/cluster.ts'
import { describeWithTool } from '../../../test/tools.ts'
import { kubernetesDriver } from './index.ts'
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
  const get = (kind: string, name: string): Looked =>
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

  it('takes what others add inside of ours for drift, and nothing else of theirs', async () => {
    await open({ 'stack/all.yaml': [CONFIG('  a: "1"\n'), DEPLOYMENT.replace('  replicas: 2\n', '')].join('\n---\n') })
    await stack.deploy()
    patch('configmap', 'app', { metadata: { labels: { theirs: 'yes' }, annotations: { note: 'x' } } })
    cluster.kubectl(['-n', namespace, 'scale', 'deployment', 'web', '--replicas=4'])
    cluster.kubectl(['-n', namespace, 'rollout', 'restart', 'deployment', 'web'])
    expect((await stack.plan()).changes).toEqual([])

    patch('configmap', 'app', { data: { extra: 'x' } })
    cluster.kubectl(['-n', namespace, 'set', 'env', 'deployment/web', 'FOREIGN=1'])
    const drift = await stack.plan()
    expect(placesOf(drift)).toEqual([
      `ConfigMap/${namespace}/app data.extra`,
      `Deployment/${namespace}/web spec.template.spec.containers[0].env[2]`,
    ])
    expect(drift.changes[0]).toMatchObject({
      attributes: [{ before: 'x', after: null }],
      reason: 'set by "kubectl-patch"',
    })
    expect((await stack.deploy()).result.status).toBe('applied')
    expect(get('configmap', 'app').data).toEqual({ a: '1' })
    const { spec } = get('deployment', 'web')
    expect(spec.template.spec.containers[0].env.map(({ name }: { name: string }) => name)).toEqual(['A', 'B'])
    expect(spec.replicas).toBe(4)
    expect(get('configmap', 'app').metadata.labels.theirs).toBe('yes')
  })

  it('leaves what is ignored to whoever has set it, in plans and in writes', async () => {
    const ignore = [
      { address: 'Deployment/*', attribute: 'spec.replicas' },
      { address: 'ConfigMap/*', attribute: 'data.b' },
      { address: 'ConfigMap/*', attribute: 'data.theirs' },
    ]
    await open({ 'stack/all.yaml': [CONFIG('  a: "1"\n  b: "2"\n'), DEPLOYMENT].join('\n---\n') })
    await stack.deploy()
    patch('deployment', 'web', { spec: { replicas: 7 } })
    patch('configmap', 'app', { data: { b: 'theirs', theirs: 'x' } })
    expect((await stack.plan({ ignore })).changes).toEqual([])
    await stack.write({
      'stack/all.yaml': [CONFIG('  a: "changed"\n  b: "2"\n'), DEPLOYMENT.replace('1.25', '1.26')].join('\n---\n'),
    })
    const { planned, result } = await stack.deploy({ ignore })
    expect(placesOf(planned)).toEqual([
      `ConfigMap/${namespace}/app data.a`,
      `Deployment/${namespace}/web spec.template.spec.containers[0].image`,
    ])
    expect(result.status).toBe('applied')
    expect(get('configmap', 'app').data).toEqual({ a: 'changed', b: 'theirs', theirs: 'x' })
    expect(get('deployment', 'web').spec.replicas).toBe(7)
  })

  it('keeps the live value of a field that was ours before it was ignored', async () => {
    await open({ 'stack/all.yaml': DEPLOYMENT })
    await stack.deploy()
    const ignore = [{ address: 'Deployment/*', attribute: 'spec.replicas' }]
    await stack.write({ 'stack/all.yaml': DEPLOYMENT.replace('replicas: 2', 'replicas: 9').replace('1.25', '1.26') })
    expect((await stack.deploy({ ignore })).result.status).toBe('applied')
    expect(get('deployment', 'web').spec.replicas).toBe(2)
  })

  it('removes what it has set and does not want any more, and no more than that', async () => {
    await open({ 'stack/all.yaml': DEPLOYMENT })
    await stack.deploy()
    await stack.write({ 'stack/all.yaml': DEPLOYMENT.replace('            - {name: A, value: "1"}\n', '') })
    const { planned } = await stack.deploy()
    expect(placesOf(planned).length).toBeGreaterThan(0)
    expect(get('deployment', 'web').spec.template.spec.containers[0].env).toEqual([{ name: 'B', value: '2' }])
    expect((await stack.plan()).changes).toEqual([])
  })

  it('prunes by its inventory, keeps what is annotated so, and asks before data goes', async () => {
    const map = (name: string, prune?: string): string =>
      `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n${prune ? `  annotations: {trueup.dev/prune: ${prune}}\n` : ''}data: {a: b}\n`
    const claim = `apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}\nspec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}\n`
    await open({
      'stack/stays.yaml': map('stays'),
      'stack/goes.yaml': map('goes'),
      'stack/kept.yaml': map('kept', 'keep'),
      'stack/asks.yaml': map('asks', 'confirm'),
      'stack/claim.yaml': claim,
    })
    await stack.deploy()
    await stack.write({
      'stack/goes.yaml': null,
      'stack/kept.yaml': null,
      'stack/asks.yaml': null,
      'stack/claim.yaml': null,
    })
    const { planned, result } = await stack.deploy()
    expect(placesOf(planned)).toEqual([`ConfigMap/${namespace}/goes (delete)`, `ConfigMap/${namespace}/kept (forget)`])
    expect(planned.findings.map(({ code, message }) => `${code} ${message.split(' ')[0]}`).toSorted()).toEqual([
      `prune_waits ConfigMap/${namespace}/asks`,
      `prune_waits PersistentVolumeClaim/${namespace}/data`,
    ])
    expect(result.status).toBe('applied')
    const names = (): string[] =>
      JSON.parse(cluster.kubectl(['-n', namespace, 'get', 'cm', '-o', 'json'])).items.map(
        ({ metadata }: { metadata: { name: string } }) => metadata.name,
      )
    expect(names().filter((name) => !name.startsWith('trueup-'))).toEqual(['asks', 'kept', 'stays'])
    expect((await stack.plan()).changes).toEqual([])
    cluster.kubectl(['-n', namespace, 'annotate', 'cm', 'asks', 'trueup.dev/prune-confirmed=yes'])
    expect(placesOf(await stack.plan())).toEqual([`ConfigMap/${namespace}/asks (delete)`])
  })

  it('never prunes because nothing is rendered', async () => {
    await open({ 'stack/a.yaml': CONFIG('  a: "1"\n') })
    await stack.deploy()
    await stack.write({ 'stack/a.yaml': '# emptied\n' })
    await expect(stack.plan()).rejects.toMatchObject({
      code: 'SOURCE_INVALID',
      message: expect.stringContaining('delete all 1'),
    })
  })

  it('does not delete what another stack has taken over', async () => {
    await open({ 'stack/a.yaml': CONFIG('  a: "1"\n'), 'stack/b.yaml': SECRET })
    await stack.deploy()
    const other = await openStack({
      kubeconfig: cluster.kubeconfig,
      files: { 'other/a.yaml': CONFIG('  a: "1"\n') },
      path: 'other',
      name: `${namespace}-other`,
      with: { namespace },
    })
    try {
      const { planned } = await other.deploy()
      expect(placesOf(planned)).toEqual([`ConfigMap/${namespace}/app metadata.annotations["trueup.dev/stack"]`])
      expect(planned.findings.map(({ code }) => code)).toContain('shared_object')
      await stack.write({ 'stack/a.yaml': null })
      expect(placesOf((await stack.deploy()).planned)).toEqual([`ConfigMap/${namespace}/app (forget)`])
      expect(get('configmap', 'app').data).toEqual({ a: '1' })
      expect((await other.plan()).changes).toEqual([])
    } finally {
      await other.remove()
    }
  })

  it('destroys what it has made, and is then done', async () => {
    await open({ 'stack/all.yaml': [CONFIG('  a: "1"\n'), SECRET].join('\n---\n') })
    await stack.deploy()
    const { planned, result } = await stack.deploy({ destroy: true, kind: 'destroy' })
    expect(placesOf(planned)).toEqual([`ConfigMap/${namespace}/app (delete)`, `Secret/${namespace}/app (delete)`])
    expect(result.status).toBe('applied')
    expect(cluster.kubectl(['-n', namespace, 'get', 'cm,secret', '-o', 'name']).trim()).toBe('')
    expect((await stack.plan({ destroy: true, kind: 'destroy' })).changes).toEqual([])
  })

  it('says what cannot be changed in place, and replaces it only when that is allowed', async () => {
    const job = (image: string, more = ''): string =>
      `apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: once\n${more}spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: ${image}}]}}}\n`
    await open({ 'stack/job.yaml': job('one') })
    await stack.deploy()
    await stack.write({ 'stack/job.yaml': job('two') })
    await expect(stack.plan()).rejects.toMatchObject({
      code: 'SOURCE_INVALID',
      message: expect.stringMatching(/cannot be changed in place.*trueup\.dev\/replace/s),
    })
    await stack.write({ 'stack/job.yaml': job('two', '  annotations: {trueup.dev/replace: "true"}\n') })
    const { planned, result } = await stack.deploy()
    expect(planned.changes[0]?.actions).toEqual(['replace'])
    expect(planned.changes[0]?.attributes.map(({ path }) => path)).toContain('spec.template.spec.containers[0].image')
    expect(result.status).toBe('applied')
    expect(get('job', 'once').spec.template.spec.containers[0].image).toBe('two')
    expect((await stack.plan()).changes).toEqual([])
  })

  it('is stale when an object has changed since the plan', async () => {
    await open({ 'stack/a.yaml': CONFIG('  a: "1"\n') })
    await stack.deploy()
    await stack.write({ 'stack/a.yaml': CONFIG('  a: "2"\n') })
    const context = await stack.next()
    const planned = await kubernetesDriver.plan(context)
    patch('configmap', 'app', { data: { a: '3' } })
    await expect(kubernetesDriver.apply(context, planned)).rejects.toMatchObject({ code: 'PLAN_STALE' })
    expect(get('configmap', 'app').data.a).toBe('3')
  })

  it('plans with rights to read alone, and names what it could not ask', async () => {
    await open({ 'stack/all.yaml': [CONFIG('  a: "1"\n'), DEPLOYMENT].join('\n---\n') })
    await stack.deploy()
    const config = { ...stack.context.config, context: 'viewer' }
    expect((await stack.plan({ config })).coverage).toEqual(expect.anything())
    patch('configmap', 'app', { data: { a: 'x' } })
    const drift = await stack.plan({ config })
    expect(placesOf(drift)).toEqual([`ConfigMap/${namespace}/app data.a`])
    expect(drift.coverage.unchecked.map(({ address }) => address)).toContain(`ConfigMap/${namespace}/app`)
    const context = await stack.next({ config })
    const planned = await kubernetesDriver.plan(context)
    const denied = await kubernetesDriver.apply(context, planned).catch((thrown: unknown) => thrown)
    expect(denied).toMatchObject({
      status: 'failed',
      resources: [{ status: 'failed', message: expect.stringMatching(/cannot patch resource "configmaps"/) }],
    })
  })

  it('says which namespace, kind or cluster is missing', async () => {
    await open({ 'stack/a.yaml': CONFIG('  a: "1"\n').replace('name: app', 'name: app, namespace: nowhere') })
    await expect(stack.plan()).rejects.toMatchObject({
      code: 'SOURCE_INVALID',
      message: expect.stringContaining('there is no namespace "nowhere"'),
    })
    await stack.write({ 'stack/a.yaml': 'apiVersion: example.org/v1\nkind: Thing\nmetadata: {name: x}\n' })
    await expect(stack.plan()).rejects.toMatchObject({
      code: 'SOURCE_INVALID',
      message: expect.stringContaining('Thing (example.org/v1)'),
    })
    const env = { ...stack.context.env, KUBECONFIG: '/nowhere/kubeconfig' }
    await expect(stack.plan({ env })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  })

  it('shows an element that was taken out of a list as one difference', async () => {
    await open({ 'stack/all.yaml': DEPLOYMENT })
    await stack.deploy()
    cluster.kubectl(['-n', namespace, 'set', 'env', 'deployment/web', 'A-'])
    // Servers differ in whether it comes back where it was or at the end.
    const places = placesOf(await stack.plan()).map((place) => place.replace(/^.*\.env\[[01]\]/, 'env'))
    expect(places).toEqual(['env.name', 'env.value'])
    expect((await stack.deploy()).result.status).toBe('applied')
    expect((await stack.plan()).changes).toEqual([])
  })

  it('takes over what kubectl has applied, and what Git does not have goes', async () => {
    const settings = CONFIG('  a: "1"\n  old: "x"\n')
    cluster.kubectl(['-n', namespace, 'apply', '-f', '-'], `${settings}\n---\n${DEPLOYMENT}`)
    await open({
      'stack/all.yaml': [CONFIG('  a: "1"\n'), DEPLOYMENT.replace('            - {name: A, value: "1"}\n', '')].join(
        '\n---\n',
      ),
    })
    const { planned } = await stack.deploy()
    expect(placesOf(planned)).toEqual([
      `ConfigMap/${namespace}/app data.old`,
      `ConfigMap/${namespace}/app metadata.annotations["trueup.dev/stack"]`,
      `Deployment/${namespace}/web metadata.annotations["trueup.dev/stack"]`,
      `Deployment/${namespace}/web spec.template.spec.containers[0].env[0]`,
    ])
    expect((await stack.plan()).changes).toEqual([])
    expect(get('configmap', 'app').data).toEqual({ a: '1' })
  })

  it('refuses instead of overwriting where it is told to', async () => {
    await open({ 'stack/a.yaml': CONFIG('  a: "1"\n') }, { with: { conflicts: 'refuse' } })
    await stack.deploy()
    patch('configmap', 'app', { data: { a: '2' } })
    await expect(stack.plan()).rejects.toMatchObject({
      code: 'SOURCE_INVALID',
      message: expect.stringMatching(/data\.a \(kubectl-patch\)/),
    })
  })

  it('fills in inputs and variables, and hides the secret ones', async () => {
    const inputs = { port: { value: 8080, sensitive: false }, token: { value: 'very-secret-token', sensitive: true } }
    await open(
      {
        'stack/a.yaml': CONFIG(
          '  url: "http://host:${inputs.port}/$${inputs.port}"\n  token: "t=${inputs.token}"\n  word: ${variables.WORD}\n',
        ),
      },
      { inputs, env: { WORD: 'swordfish' } },
    )
    const { planned, result } = await stack.deploy()
    expect(result.status).toBe('applied')
    expect(get('configmap', 'app').data).toEqual({
      url: 'http://host:8080/${inputs.port}',
      token: 't=very-secret-token',
      word: 'swordfish',
    })
    expect(JSON.stringify([planned, result])).not.toMatch(/very-secret|swordfish/)
    await stack.write({ 'stack/a.yaml': CONFIG('  a: ${inputs.nowhere}\n') })
    await expect(stack.plan()).rejects.toMatchObject({
      code: 'SOURCE_INVALID',
      message: expect.stringContaining('stack/a.yaml:1:there is no input "nowhere"'),
    })
  })

  it('creates its namespace, acts as another user, and leaves the namespace behind', async () => {
    const own = `${namespace}-own`
    await open({ 'stack/a.yaml': CONFIG('  a: "1"\n') }, { with: { namespace: own, createNamespace: true } })
    const impersonate = { user: 'nobody', groups: ['system:authenticated'] }
    const config = { ...stack.context.config, impersonate }
    await expect(stack.plan({ config })).rejects.toMatchObject({
      code: 'TARGET_DENIED',
      message: expect.stringContaining('User "nobody" cannot get resource "configmaps"'),
    })
    expect((await stack.deploy()).result.status).toBe('applied')
    expect((await stack.plan()).changes).toEqual([])
    expect(placesOf((await stack.deploy({ destroy: true, kind: 'destroy' })).planned)).toEqual([
      `ConfigMap/${own}/app (delete)`,
    ])
    expect(cluster.kubectl(['get', 'namespace', own, '-o', 'name']).trim()).toBe(`namespace/${own}`)
  })

  it('writes its inventory anew when somebody has deleted it', async () => {
    await open({ 'stack/a.yaml': CONFIG('  a: "1"\n') })
    await stack.deploy()
    const [name] = cluster
      .kubectl(['-n', namespace, 'get', 'cm', '-o', 'name', '-l', 'app.kubernetes.io/managed-by=trueup'])
      .trim()
      .split('\n')
    cluster.kubectl(['-n', namespace, 'delete', name!])
    const { planned, result } = await stack.deploy()
    expect(planned.changes).toMatchObject([{ actions: ['create'], reason: 'the inventory of this stack' }])
    expect(result).toMatchObject({ status: 'applied', resources: [{ status: 'done' }] })
    expect((await stack.plan()).changes).toEqual([])
  })

  it('compares by itself where a webhook refuses dry runs, and says so', async () => {
    cluster.kubectl(['label', 'namespace', namespace, 'hooked=yes'])
    await open({ 'stack/a.yaml': CONFIG('  a: "1"\n') })
    await stack.deploy()
    const webhook = {
      apiVersion: 'admissionregistration.k8s.io/v1beta1',
      kind: 'ValidatingWebhookConfiguration',
      metadata: { name: namespace },
      webhooks: [
        {
          name: 'hook.example.org',
          clientConfig: { url: 'https://127.0.0.1:1/' },
          rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['*'], resources: ['configmaps'] }],
          namespaceSelector: { matchLabels: { hooked: 'yes' } },
          sideEffects: 'Some',
          failurePolicy: 'Ignore',
        },
      ],
    }
    cluster.kubectl(['create', '-f', '-'], JSON.stringify(webhook))
    try {
      patch('configmap', 'app', { data: { a: '2' } })
      let planned = await stack.plan()
      // The API server learns of webhooks from a watch of its own.
      for (let attempt = 0; attempt < 50 && planned.coverage.unchecked.length === 0; attempt++)
        planned = await stack.plan()
      expect(placesOf(planned)).toEqual([`ConfigMap/${namespace}/app data.a`])
      expect(planned.coverage.unchecked).toEqual([
        { address: `ConfigMap/${namespace}/app`, why: expect.stringContaining('does not support dry run') },
      ])
    } finally {
      cluster.kubectl(['delete', 'validatingwebhookconfiguration', namespace])
    }
  })
})
