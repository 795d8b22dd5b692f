import { delimiter } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { STARTING_MS, startCluster, type TestCluster } from '../../../../test/kube/cluster.ts'
import { describeWithTool, toolsDirectory } from '../../../../test/tools.ts'
import { kubernetesDriver } from '../index.ts'
import { Kubelet } from '../../../../test/kube/kubelet.ts'
import { openStack, type TestStack } from '../testing/stack.ts'

const DEPLOYMENT = (image: string, more = ''): string => `apiVersion: apps/v1
kind: Deployment
metadata: {name: web${more}}
spec:
  replicas: 2
  progressDeadlineSeconds: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: ${image}}]}
`
const MAP = (name: string, annotations: string): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}, annotations: {${annotations}}}\ndata: {a: b}\n`
const JOB = (name: string, annotations: string): string =>
  `apiVersion: batch/v1\nkind: Job\nmetadata: {name: ${name}, annotations: {${annotations}}}\nspec:\n  backoffLimit: 0\n  template: {spec: {restartPolicy: Never, containers: [{name: a, image: a}]}}\n`

const MERGE = 'application/merge-patch+json'

describeWithTool('kube-controller-manager', 'roll-outs, waves and hooks', () => {
  let cluster: TestCluster
  let kubelet: Kubelet
  let stack: TestStack
  let namespace = 'default'
  let count = 0

  beforeAll(async () => {
    cluster = await startCluster({ controllers: true })
    kubelet = new Kubelet()
    kubelet.start(cluster, () => namespace)
  }, STARTING_MS)
  afterAll(async () => {
    await kubelet?.stop()
    await cluster?.stop()
  })
  beforeEach(() => {
    kubelet.phase = 'Running'
    namespace = `rollout-${++count}`
    cluster.kubectl(['create', 'namespace', namespace])
  })
  afterEach(() => stack?.remove())

  const open = async (files: { [path: string]: string }, settings = {}): Promise<TestStack> => {
    stack = await openStack({
      kubeconfig: cluster.kubeconfig,
      files,
      name: namespace,
      with: { namespace, wait: true, waitTimeout: '20s', ...settings },
      env: { PATH: [process.env.PATH ?? '', toolsDirectory].join(delimiter) },
    })
    return stack
  }
  const exists = async (path: string): Promise<boolean> =>
    (await cluster.api('GET', path.replace('NS', `namespaces/${namespace}`))).status === 200
  const until = async (holds: () => Promise<boolean>): Promise<void> => {
    while (!(await holds())) await sleep(20)
  }
  /**
   * What the controller does to a Job with ttlSecondsAfterFinished: 0, which 1.20 does not know yet: it ends (or, for null,
   * does not) and is deleted in the same moment. Servers since 1.31 take no end that is not whole.
   */
  const endJob = async (path: string, condition: string | null): Promise<void> => {
    let startTime: string | undefined
    await until(async () => {
      startTime = (await cluster.api('GET', path)).body.status?.startTime
      return startTime !== undefined
    })
    const before = condition === 'Complete' ? 'SuccessCriteriaMet' : 'FailureTarget'
    const conditions = [before, condition].map((type) => ({ type, status: 'True', reason: 'BackoffLimitExceeded' }))
    const ended = { active: 0, ready: 0, conditions, ...(condition === 'Complete' && { completionTime: startTime }) }
    if (condition !== null) {
      const { status, body } = await cluster.api('PATCH', `${path}/status`, { status: ended }, MERGE)
      expect(status, body.message).toBe(200)
    }
    await cluster.api('DELETE', path, { propagationPolicy: 'Background' })
  }
  const health = async () => kubernetesDriver.health!(await stack.next())

  it('waits for a roll-out, and says why one cannot succeed', async () => {
    await open({ 'stack/web.yaml': DEPLOYMENT('nginx:1') })
    expect((await stack.deploy()).result.status).toBe('applied')
    expect(await health()).toEqual({ healthy: true, lines: ['1 objects are healthy'] })
    kubelet.phase = 'none'
    await stack.write({ 'stack/web.yaml': DEPLOYMENT('nginx:2') })
    expect((await stack.deploy()).result.status).toBe('applied')
    const bad = await health()
    expect(bad.healthy).toBe(false)
    expect(bad.lines.join()).toMatch(new RegExp(`Deployment/${namespace}/web: .*timed out progressing`))
  })

  it('begins a wave when the one before is healthy', async () => {
    kubelet.phase = 'none'
    await open({
      'stack/web.yaml': DEPLOYMENT('nginx:1'),
      'stack/later.yaml': MAP('later', 'trueup.dev/wave: "1"'),
    })
    const deploying = stack.deploy()
    await until(() => exists('/apis/apps/v1/NS/deployments/web'))
    expect(await exists('/api/v1/NS/configmaps/later')).toBe(false)
    kubelet.phase = 'Running'
    expect((await deploying).result.status).toBe('applied')
    expect(await exists('/api/v1/NS/configmaps/later')).toBe(true)
    expect((await stack.plan()).changes).toEqual([])
  })

  it('deletes what is replaced when its successor is healthy, and later waves first', async () => {
    await open({
      'stack/old.yaml': MAP('settings-1', ''),
      'stack/app.yaml': DEPLOYMENT('nginx:1').replace('name: web', 'name: app, annotations: {trueup.dev/wave: "2"}'),
      'stack/web.yaml': DEPLOYMENT('nginx:1'),
    })
    expect((await stack.deploy()).result.status).toBe('applied')
    kubelet.phase = 'none'
    await stack.write({
      'stack/old.yaml': null,
      'stack/new.yaml': MAP('settings-2', ''),
      'stack/app.yaml': null,
      'stack/web.yaml': null,
      'stack/next.yaml': DEPLOYMENT('nginx:2').replaceAll('web', 'next'),
    })
    const deploying = stack.deploy()
    await until(() => exists('/apis/apps/v1/NS/deployments/next'))
    for (const path of ['/api/v1/NS/configmaps/settings-1', '/apis/apps/v1/NS/deployments/web'])
      expect(await exists(path)).toBe(true)
    const held = `/apis/apps/v1/namespaces/${namespace}/deployments/app`
    await cluster.api('PATCH', held, { metadata: { finalizers: ['example.org/hold'] } }, MERGE)
    kubelet.phase = 'Running'
    await until(async () => (await cluster.api('GET', held)).body.metadata.deletionTimestamp !== undefined)
    expect(await exists('/apis/apps/v1/NS/deployments/web')).toBe(true)
    await cluster.api('PATCH', held, { metadata: { finalizers: ['foregroundDeletion'] } }, MERGE)
    expect((await deploying).result.status).toBe('applied')
    expect(await exists('/apis/apps/v1/NS/deployments/web')).toBe(false)
    expect(await exists('/api/v1/NS/configmaps/settings-1')).toBe(false)
    expect((await stack.plan()).changes).toEqual([])
  })

  const NO_PLACE = {
    kind: 'ResourceQuota',
    spec: { hard: { pods: '0' } },
    image: 'nginx:1',
    says: 'exceeded quota: none',
  }
  const LIMIT = {
    kind: 'LimitRange',
    spec: { limits: [{ type: 'Container', min: { cpu: '1' } }] },
    image: 'nginx:1, resources: {requests: {cpu: 100m}}',
    says: 'minimum cpu usage per Container is 1',
  }
  it.each([
    ['Deployment', 'quota', NO_PLACE],
    ['StatefulSet', 'quota', NO_PLACE],
    ['Deployment', 'limit', LIMIT],
  ])('says without waiting that the pods of a %s are refused by a %s, with its words', async (kind, _by, rule) => {
    const rules = `/api/v1/namespaces/${namespace}/${rule.kind.toLowerCase()}s`
    await cluster.api('POST', rules, { metadata: { name: 'none' }, spec: rule.spec })
    await until(async () => {
      const { body } = await cluster.api('GET', `${rules}/none`)
      return rule !== NO_PLACE || body.status?.hard?.pods === '0'
    })
    const own = kind === 'Deployment' ? '  progressDeadlineSeconds: 100\n' : '  serviceName: web\n'
    const web = DEPLOYMENT(rule.image).replace('  progressDeadlineSeconds: 3\n', own).replace('Deployment', kind)
    await open({ 'stack/web.yaml': web }, { waitTimeout: '120s' })
    await stack.deploy()
    expect(await health()).toEqual({
      healthy: false,
      lines: [expect.stringMatching(new RegExp(`web: .*${rule.says}`))],
    })
  })

  it('does not wait for a claim that a pod of a later wave has to use first', async () => {
    const storage = `apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: ${namespace}}\nprovisioner: example.org/none\nvolumeBindingMode: WaitForFirstConsumer\n`
    const claim = `apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}\nspec: {storageClassName: ${namespace}, accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}\n`
    await open({
      'stack/class.yaml': storage,
      'stack/claim.yaml': claim,
      'stack/later.yaml': MAP('later', 'trueup.dev/wave: "1"'),
    })
    expect((await stack.deploy()).result.status).toBe('applied')
    expect((await health()).healthy).toBe(true)
  })

  it.each([
    ['Complete', 'applied'],
    ['Failed', 'failed'],
  ])('sees the end of a Job that is cleared away (%s), and does not run it again', async (condition, status) => {
    kubelet.phase = 'none'
    const job = JOB('once', '').replace('  backoffLimit', '  ttlSecondsAfterFinished: 0\n  backoffLimit')
    await open({ 'stack/job.yaml': job, 'stack/app.yaml': MAP('app', '') })
    const deploying = stack.deploy()
    const path = `/apis/batch/v1/namespaces/${namespace}/jobs/once`
    await endJob(path, condition)
    expect((await deploying).result.status).toBe(status)
    if (status === 'failed') return
    expect((await health()).healthy).toBe(true)
    expect((await stack.plan({ kind: 'drift' })).changes).toEqual([])
    await stack.write({ 'stack/app.yaml': MAP('app', 'new: "1"') })
    expect((await stack.plan()).changes.map(({ address }) => address)).toEqual([`ConfigMap/${namespace}/app`])
  })

  it('does not begin a wave after one that failed', async () => {
    kubelet.phase = 'none'
    await open(
      {
        'stack/web.yaml': DEPLOYMENT('nginx:1'),
        'stack/later.yaml': MAP('later', 'argocd.argoproj.io/sync-wave: "1"'),
      },
      { waitTimeout: '1s' },
    )
    const { result } = await stack.deploy()
    expect(result.status).toBe('failed')
    expect(result.resources.map(({ address, status }) => `${address} ${status}`)).toEqual([
      `ConfigMap/${namespace}/later skipped`,
      `Deployment/${namespace}/web failed`,
    ])
    expect(await exists('/api/v1/NS/configmaps/later')).toBe(false)
  })

  it('runs hooks before and after, once per change, and clears them away', async () => {
    await open({
      'stack/before.yaml': JOB('before', 'helm.sh/hook: "pre-install,pre-upgrade"'),
      'stack/after.yaml': JOB('after', 'trueup.dev/hook: after, trueup.dev/hook-delete: succeeded'),
      'stack/app.yaml': MAP('app', ''),
    })
    const first = await stack.deploy()
    expect(first.planned.changes.map(({ address, reason }) => `${address} ${reason ?? ''}`)).toEqual([
      `ConfigMap/${namespace}/app `,
      `Job/${namespace}/after hook, after the install`,
      `Job/${namespace}/before hook, before the install`,
    ])
    expect(first.result.status).toBe('applied')
    expect(await exists('/apis/batch/v1/NS/jobs/before')).toBe(true)
    expect(await exists('/apis/batch/v1/NS/jobs/after')).toBe(false)
    expect((await stack.plan()).changes).toEqual([])
    await cluster.api(
      'PATCH',
      `/api/v1/namespaces/${namespace}/configmaps/app`,
      { data: { a: 'x' } },
      'application/merge-patch+json',
    )
    expect((await stack.plan({ kind: 'drift' })).changes.map(({ type }) => type)).toEqual(['ConfigMap'])
    expect((await stack.plan()).changes.map(({ type }) => type)).toEqual(['ConfigMap'])
    await stack.write({ 'stack/app.yaml': MAP('app', 'new: "1"') })
    expect((await stack.deploy()).planned.changes.map(({ type }) => type)).toEqual(['ConfigMap', 'Job', 'Job'])
  })

  it('runs every event that a hook names, and tells what it cannot run', async () => {
    await open({
      'stack/app.yaml': MAP('app', ''),
      'stack/a.yaml': JOB('a', 'helm.sh/hook: "post-install,pre-upgrade"'),
      'stack/b.yaml': JOB('b', 'helm.sh/hook: "pre-rollback,post-delete"'),
      'stack/c.yaml': JOB('c', 'argocd.argoproj.io/hook: "SyncFail"'),
    })
    const hooksOf = ({ changes }: Awaited<ReturnType<typeof stack.plan>>): string[] =>
      changes.flatMap(({ address, reason }) => (reason?.startsWith('hook') ? [`${address.at(-1)} ${reason}`] : []))
    const first = await stack.deploy()
    expect(hooksOf(first.planned)).toEqual(['a hook, after the install'])
    expect(first.planned.findings).toMatchObject([
      { code: 'hook_not_run', message: expect.stringContaining('SyncFail') },
    ])
    expect(first.result.status).toBe('applied')
    await stack.write({ 'stack/app.yaml': MAP('app', 'new: "1"') })
    expect(hooksOf(await stack.plan({ rollback: true }))).toEqual(['b hook, before the rollback'])
    expect(hooksOf((await stack.deploy()).planned)).toEqual(['a hook, before the upgrade'])
    const destroyed = await stack.deploy({ destroy: true, kind: 'destroy' })
    expect(hooksOf(destroyed.planned)).toEqual(['b hook, after the delete'])
    expect(destroyed.result.status).toBe('applied')
    expect(await exists('/apis/batch/v1/NS/jobs/b')).toBe(false)
    expect((await stack.plan({ destroy: true, kind: 'destroy' })).changes).toEqual([])
  })

  it('does not destroy when a hook before it fails', async () => {
    await open({ 'stack/app.yaml': MAP('app', ''), 'stack/a.yaml': JOB('a', 'helm.sh/hook: pre-delete') })
    expect((await stack.deploy()).result.status).toBe('applied')
    kubelet.phase = 'Failed'
    expect((await stack.deploy({ destroy: true, kind: 'destroy' })).result.status).toBe('failed')
    expect(await exists('/api/v1/NS/configmaps/app')).toBe(true)
  })

  it('clears hooks away when all of their side have succeeded', async () => {
    const policy = 'helm.sh/hook: pre-install, helm.sh/hook-delete-policy: hook-succeeded'
    await open({
      'stack/app.yaml': MAP('app', ''),
      'stack/a.yaml': MAP('settings', `${policy}, helm.sh/hook-weight: "-5"`),
      'stack/b.yaml': JOB('b', policy),
    })
    kubelet.phase = 'none'
    const deploying = stack.deploy()
    await until(() => exists('/apis/batch/v1/NS/jobs/b'))
    expect(await exists('/api/v1/NS/configmaps/settings')).toBe(true)
    kubelet.phase = 'Running'
    expect((await deploying).result.status).toBe('applied')
    expect(await exists('/api/v1/NS/configmaps/settings')).toBe(false)
    expect(await exists('/apis/batch/v1/NS/jobs/b')).toBe(false)
  })

  it.each([
    ['Failed', 'failed', /BackoffLimitExceeded|failed/],
    ['Complete', 'applied', null],
    [null, 'failed', /disappeared before its end was seen/],
  ])('sees the end of a hook that is gone at once: %s', async (condition, status, message) => {
    kubelet.phase = 'none'
    await open({
      'stack/before.yaml': JOB('before', 'argocd.argoproj.io/hook: PreSync'),
      'stack/app.yaml': MAP('app', ''),
    })
    const deploying = stack.deploy()
    const path = `/apis/batch/v1/namespaces/${namespace}/jobs/before`
    await endJob(path, condition)
    const { result } = await deploying
    expect(result.status).toBe(status)
    expect(await exists('/api/v1/NS/configmaps/app')).toBe(status === 'applied')
    if (message !== null) expect(result.resources.map((one) => one.message).join()).toMatch(message)
  })

  it('takes a live Helm release for an upgrade', async () => {
    const release = async (version: number, status: string): Promise<void> => {
      const labels = { owner: 'helm', name: 'old', status, version: String(version) }
      const metadata = { name: `sh.helm.release.v1.old.v${version}`, labels }
      await cluster.api('POST', `/api/v1/namespaces/${namespace}/secrets`, { metadata, type: 'helm.sh/release.v1' })
    }
    await open(
      {
        'stack/Chart.yaml': 'apiVersion: v2\nname: old\nversion: 1.0.0\n',
        'stack/templates/app.yaml': MAP('app', ''),
        'stack/templates/key.yaml': MAP('key', 'helm.sh/hook: Pre-Install'),
        'stack/templates/seen.yaml': MAP('seen', 'helm.sh/hook: " pre-upgrade "'),
      },
      { helm: { release: 'old' } },
    )
    // Uninstalled with its history, as `helm uninstall --keep-history` leaves it: for Helm an install, too.
    await release(1, 'superseded')
    await release(2, 'uninstalled')
    expect((await stack.plan()).changes.map(({ reason }) => reason ?? '')).toEqual(['', 'hook, before the install'])
    await release(3, 'deployed')
    const { changes, findings } = await stack.plan()
    expect(changes.map(({ address, reason }) => `${address} ${reason ?? ''}`)).toEqual([
      `ConfigMap/${namespace}/app `,
      `ConfigMap/${namespace}/seen hook, before the upgrade`,
    ])
    expect(findings).toMatchObject([{ code: 'helm_release', message: expect.stringContaining('delete secret') }])
  })

  it('goes no further than a hook that failed, and runs it again', async () => {
    kubelet.phase = 'Failed'
    await open({
      'stack/before.yaml': JOB('before', 'argocd.argoproj.io/hook: PreSync'),
      'stack/app.yaml': MAP('app', ''),
    })
    const { result } = await stack.deploy()
    expect(result.status).toBe('failed')
    expect(result.resources.map(({ address, status }) => `${address} ${status}`)).toEqual([
      `ConfigMap/${namespace}/app skipped`,
      `Job/${namespace}/before failed`,
    ])
    expect(result.resources[1]?.message).toMatch(/BackoffLimitExceeded/)
    kubelet.phase = 'Running'
    expect((await stack.deploy()).result.status).toBe('applied')
  })

  it('deletes a namespace of its own with all that is in it', async () => {
    await open({
      'stack/ns.yaml': `apiVersion: v1\nkind: Namespace\nmetadata: {name: ${namespace}-own}\n`,
      'stack/map.yaml': MAP('app', '').replace('name: app', `name: app, namespace: ${namespace}-own`),
    })
    expect((await stack.deploy()).result.status).toBe('applied')
    const { result } = await stack.deploy({ destroy: true, kind: 'destroy' })
    expect(result.status).toBe('applied')
    for (
      let attempt = 0;
      attempt < 100 && (await cluster.api('GET', `/api/v1/namespaces/${namespace}-own`)).status !== 404;
      attempt++
    )
      await sleep(100)
    expect((await stack.plan({ destroy: true, kind: 'destroy' })).changes).toEqual([])
  })
})
