import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { openStack } from '../../src/drivers/kubernetes/testing/stack.ts'
import { readAgentConfig } from '../../src/worker/agent/config.ts'
import { startCluster, type TestCluster } from '../kube/cluster.ts'
import { describeWithTool } from '../tools.ts'

/** What people install an agent with. */
const FILES = join(import.meta.dirname, '..', '..', 'examples', 'agent')

it('the configuration in the examples is one', () => {
  expect(readAgentConfig(join(FILES, 'agent.yaml')).options.server).toBe('https://trueup.example.org')
})

it('unit and pod wait for longer than a drain takes, and end the agent before its tools', () => {
  const drainSeconds = readAgentConfig(join(FILES, 'agent.yaml')).options.drainMs / 1000
  const unit = readFileSync(join(FILES, 'trueup-agent.service'), 'utf8')
  expect(Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)?.[1])).toBeGreaterThan(drainSeconds)
  expect(unit).toMatch(/^KillMode=mixed$/m)
  const manifests = readFileSync(join(FILES, 'kubernetes.yaml'), 'utf8')
  expect(Number(/terminationGracePeriodSeconds: (\d+)/.exec(manifests)?.[1])).toBeGreaterThan(drainSeconds)
})

describeWithTool('systemd-analyze', 'the unit of an agent', () => {
  const analyze = (...argv: string[]): string =>
    execFileSync('systemd-analyze', argv, { stdio: ['ignore', 'pipe', 'pipe'] }).toString()

  it('is one that systemd takes, and exposes little', () => {
    const unit = join(FILES, 'trueup-agent.service')
    expect(analyze('verify', unit)).toBe('')
    const said = analyze('security', '--offline=true', unit)
    const exposure = /exposure level for \S+: ([\d.]+)/.exec(said)?.[1]
    expect(Number(exposure), said).toBeLessThanOrEqual(2.1)
  })
})

describeWithTool('kube-apiserver', 'the manifests of an agent', () => {
  let cluster: TestCluster
  let directory: string

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'trueup-manifests-'))
    cluster = await startCluster()
    for (const namespace of ['trueup', 'shop', 'bank']) cluster.kubectl(['create', 'namespace', namespace])
    cluster.kubectl(['apply', '-f', join(FILES, 'kubernetes.yaml')])
  })
  afterAll(async () => {
    await cluster?.stop()
    rmSync(directory, { recursive: true, force: true })
  })

  /** As the agent's own account, by a token that the API server has made for it. */
  async function asAgent(): Promise<string> {
    const path = '/api/v1/namespaces/trueup/serviceaccounts/trueup-agent/token'
    const wish = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 3600 } }
    const { body } = await cluster.api('POST', path, wish)
    const config = JSON.parse(readFileSync(cluster.kubeconfig, 'utf8'))
    config.users = [{ name: 'agent', user: { token: body.status.token } }]
    config.contexts = [{ name: 'agent', context: { cluster: 'test', user: 'agent' } }]
    config['current-context'] = 'agent'
    const file = join(directory, 'kubeconfig')
    writeFileSync(file, JSON.stringify(config), { mode: 0o600 })
    return file
  }
  const files = {
    'stack/app.yaml': `apiVersion: v1
kind: ConfigMap
metadata: { name: app }
data: { release: one }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: app }
spec:
  selector: { matchLabels: { app: app } }
  template:
    metadata: { labels: { app: app } }
    spec: { containers: [{ name: app, image: nginx }] }
`,
  }

  it('deploy, heal and prune in the namespace that they name, and nowhere else', { timeout: 300_000 }, async () => {
    const kubeconfig = await asAgent()
    const shop = await openStack({ kubeconfig, files, with: { namespace: 'shop' }, name: 'shop' })
    const bank = await openStack({ kubeconfig, files, with: { namespace: 'bank' }, name: 'bank' })
    try {
      expect((await shop.deploy()).result).toMatchObject({ status: 'applied' })
      cluster.kubectl(['-n', 'shop', 'patch', 'configmap', 'app', '--type=merge', '-p', '{"data":{"release":"x"}}'])
      expect((await shop.deploy()).planned.changes.map(({ address }) => address)).toEqual(['ConfigMap/shop/app'])
      await shop.write({ 'stack/app.yaml': files['stack/app.yaml'].split('---')[0]! })
      expect((await shop.deploy()).result).toMatchObject({ status: 'applied' })
      expect(cluster.kubectl(['-n', 'shop', 'get', 'deployments', '-o', 'name'])).toBe('')

      const refused = await bank.deploy().catch((thrown: unknown) => thrown)
      expect(JSON.stringify(refused) + String(refused)).toMatch(/forbidden/i)
      expect(cluster.kubectl(['-n', 'bank', 'get', 'configmaps', '-o', 'name'])).not.toContain('app')
    } finally {
      await shop.remove()
      await bank.remove()
    }
  })

  it('give the pod no rights of its own, no port and one writable place for its data', () => {
    const [deployment] = parseAllDocuments(readFileSync(join(FILES, 'kubernetes.yaml'), 'utf8'))
      .map((document) => document.toJS())
      .filter(({ kind }) => kind === 'Deployment')
    const [container] = deployment.spec.template.spec.containers
    expect(container.ports).toBeUndefined()
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    })
    const can = (verb: string, resource: string, ...rest: string[]) => {
      const account = 'system:serviceaccount:trueup:trueup-agent'
      try {
        return cluster.kubectl(['auth', 'can-i', verb, resource, '--as', account, ...rest]).trim()
      } catch {
        return 'no'
      }
    }
    expect(can('patch', 'deployments', '-n', 'shop')).toBe('yes')
    expect(can('get', 'secrets', '-n', 'trueup')).toBe('no')
    expect(can('create', 'rolebindings', '-n', 'shop')).toBe('no')
    expect(can('get', 'secrets', '--all-namespaces')).toBe('no')
  })
})
