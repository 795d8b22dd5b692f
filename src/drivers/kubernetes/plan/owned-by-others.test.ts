import { expect, it } from 'vitest'
import { CONFIG, DEPLOYMENT, describeOnCluster } from '../../../../test/kube/describe-on-cluster.ts'
import { placesOf } from '../testing/stack.ts'

describeOnCluster('what the cluster or its controllers write', (world) => {
  it('takes quantities that are numbers', async () => {
    const numbers = DEPLOYMENT.replace('{cpu: "0.1", memory: 64Mi}', '{cpu: 1, memory: 67108864}')
    const limits =
      'apiVersion: v1\nkind: LimitRange\nmetadata: {name: web}\nspec: {limits: [{type: Container, max: {cpu: 2}, default: {cpu: 1.5}}]}\n'
    const quota = 'apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: web}\nspec: {hard: {pods: 10, cpu: 4}}\n'
    await world.open({ 'stack/web.yaml': numbers, 'stack/limits.yaml': limits, 'stack/quota.yaml': quota })
    expect((await world.stack.deploy()).result.status).toBe('applied')
    expect((await world.stack.plan()).changes).toEqual([])
    expect(world.get('resourcequota', 'web').spec.hard).toEqual({ pods: '10', cpu: '4' })
  })

  it('leaves the rules of an aggregated role to the control plane', async () => {
    const role = `apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: ${world.namespace}}\naggregationRule: {clusterRoleSelectors: [{matchLabels: {a: b}}]}\nrules: []\n`
    await world.open({ 'stack/role.yaml': role })
    expect((await world.stack.deploy()).result.status).toBe('applied')
    world.patch('clusterrole', world.namespace, { rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }] })
    expect((await world.stack.plan({ kind: 'drift' })).changes).toEqual([])
  })

  it('leaves the tokens of an account to their controller', async () => {
    const account = 'apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: web}\nsecrets: [{name: own}]\n'
    await world.open({ 'stack/account.yaml': account })
    expect((await world.stack.deploy()).result.status).toBe('applied')
    const body = { secrets: [{ name: 'own' }, { name: 'web-token-abcde' }], imagePullSecrets: [{ name: 'pull' }] }
    world.patch('serviceaccount', 'web', body)
    expect((await world.stack.plan({ kind: 'drift' })).changes).toEqual([])
  })

  it('takes out what others have added while somebody writes the object all the time', async () => {
    await world.open({ 'stack/web.yaml': DEPLOYMENT })
    await world.stack.deploy()
    const path = `/apis/apps/v1/namespaces/${world.namespace}/deployments/web`
    const added = [{ op: 'add', path: '/spec/template/spec/containers/0/env/-', value: { name: 'X', value: '1' } }]
    await world.cluster.api('PATCH', path, added, 'application/json-patch+json')
    let isOver = false
    const writing = (async () => {
      for (let count = 0; !isOver; count++) {
        const status = { status: { observedGeneration: count } }
        await world.cluster.api('PATCH', `${path}/status`, status, 'application/merge-patch+json')
      }
    })()
    const { planned, result } = await world.stack.deploy({ kind: 'heal' })
    isOver = true
    await writing
    expect(placesOf(planned)).toEqual([`Deployment/${world.namespace}/web spec.template.spec.containers[0].env[2]`])
    expect(result).toMatchObject({ status: 'applied', resources: [{ status: 'done' }] })
    expect(world.get('deployment', 'web').spec.template.spec.containers[0].env).toHaveLength(2)
  })

  it('writes a new list element whole, ignored attributes too', async () => {
    const ignore = [{ address: 'Deployment/*', attribute: 'spec.template.spec.containers[*].image' }]
    await world.open({ 'stack/web.yaml': DEPLOYMENT }, {})
    expect((await world.stack.deploy({ ignore })).result.status).toBe('applied')
    await world.stack.write({ 'stack/web.yaml': `${DEPLOYMENT}        - {name: side, image: "busybox:1"}\n` })
    expect((await world.stack.deploy({ ignore })).result.status).toBe('applied')
    const { containers } = world.get('deployment', 'web').spec.template.spec
    expect(containers.map(({ image }: { image: string }) => image)).toEqual(['nginx:1.25', 'busybox:1'])
    expect((await world.stack.plan({ ignore })).changes).toEqual([])
  })
})

describeOnCluster('replacing what cannot be changed', (world) => {
  const binding = (role: string, more = ''): string =>
    `apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: web${more}}\nroleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: ${role}}\nsubjects: []\n`
  const priority = (value: number): string =>
    `apiVersion: scheduling.k8s.io/v1\nkind: PriorityClass\nmetadata: {name: ${world.namespace}}\nvalue: ${value}\n`
  const storage = (type: string): string =>
    `apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: ${world.namespace}}\nprovisioner: example.org/disk\nparameters: {type: ${type}}\n`
  const immutable = (value: string): string => `${CONFIG(`  a: "${value}"\n`)}immutable: true\n`

  it.each([
    ['RoleBinding', () => binding('a'), () => binding('b')],
    ['PriorityClass', () => priority(1), () => priority(2)],
    ['StorageClass', () => storage('slow'), () => storage('fast')],
    ['ConfigMap', () => immutable('1'), () => immutable('2')],
  ])('a %s, where the stack lists it', async (kind, before, after) => {
    await world.open({ 'stack/one.yaml': before() })
    expect((await world.stack.deploy()).result.status).toBe('applied')
    await world.stack.write({ 'stack/one.yaml': after() })
    await expect(world.stack.plan()).rejects.toMatchObject({ message: expect.stringContaining('trueup.dev/replace') })
    const config = { ...world.stack.context.config, replace: [`${kind}/**`] }
    const { planned, result } = await world.stack.deploy({ config })
    expect(planned.changes).toMatchObject([{ type: kind, actions: ['replace'] }])
    expect(result.status).toBe('applied')
    expect((await world.stack.plan()).changes).toEqual([])
  })

  it('does not take the words of other tools for consent to delete data', async () => {
    const claim = (size: string, annotations: string): string =>
      `apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data, annotations: {${annotations}}}\nspec: {accessModes: [${size}], resources: {requests: {storage: 1Gi}}}\n`
    const argo = 'argocd.argoproj.io/sync-options: "Force=true,Replace=true"'
    await world.open({ 'stack/claim.yaml': claim('ReadWriteOnce', argo), 'stack/b.yaml': binding('a') })
    await world.stack.deploy()
    await world.stack.write({ 'stack/claim.yaml': claim('ReadWriteMany', argo) })
    await expect(world.stack.plan()).rejects.toMatchObject({
      message: expect.stringMatching(/Claim.*cannot be changed/),
    })
    const words = (options: string) => `, annotations: {argocd.argoproj.io/sync-options: "${options}"}`
    const same = { 'stack/claim.yaml': claim('ReadWriteOnce', argo) }
    await world.stack.write({ ...same, 'stack/b.yaml': binding('b', words('Replace=true')) })
    await expect(world.stack.plan()).rejects.toMatchObject({ message: expect.stringContaining('RoleBinding') })
    await world.stack.write({ 'stack/b.yaml': binding('b', words('Replace=true,Force=true')) })
    expect(placesOf(await world.stack.plan())).toContain(`RoleBinding/${world.namespace}/web (replace)`)
  })

  it('tells what the cluster warns of, object by object', async ({ skip }) => {
    const served = world.cluster.kubectl(['api-versions']).split('\n')
    skip(!served.includes('extensions/v1beta1'), 'the cluster serves nothing of old any more')
    const old = `apiVersion: extensions/v1beta1\nkind: Ingress\nmetadata: {name: web}\nspec: {backend: {serviceName: web, servicePort: 80}}\n`
    await world.open({ 'stack/a.yaml': old, 'stack/b.yaml': CONFIG('  a: "1"\n') })
    for (const planned of [(await world.stack.deploy()).planned, await world.stack.plan()]) {
      expect(planned.findings.map(({ code, message }) => `${code} ${message}`)).toEqual([
        expect.stringMatching(/^api_warning Ingress\/[\w-]+\/web: the cluster warns: .* is deprecated in v1\.\d+/),
      ])
    }
  })
})
