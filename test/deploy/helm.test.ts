import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { readAgentConfig } from '../../src/worker/agent/config.ts'
import { commandTree, problemOf } from '../docs/command-lines.ts'
import { startCluster, type TestCluster } from '../kube/cluster.ts'
import { describeWithTool, requireTool } from '../tools.ts'

const CHART = join(import.meta.dirname, '../../deploy/helm/trueup')
const VALUES = {
  image: { repository: 'registry.example.org/trueup' },
  publicUrl: 'https://trueup.example.org',
  server: { ingress: { enabled: true, tlsSecret: 'tls' }, trustProxy: ['10.0.0.0/8', 'fd00::/8'] },
  runners: { default: { replicas: 2, enrolmentSecret: 'runner', namespaces: ['shop'] } },
  agents: {
    edge: {
      enrolmentSecret: 'agent',
      namespaces: ['shop'],
      allowedSigners: 'release@example.org ssh-ed25519 AAAA\n',
      config: { repositories: { shop: { environments: ['production'], signers: { ssh: 'allowed_signers' } } } },
    },
  },
}

// oxlint-disable-next-line typescript/no-explicit-any -- documents of every shape
type Looked = any

describeWithTool('helm', 'the Helm chart', (helm) => {
  let directory: string
  let values: string
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'trueup-chart-'))
    values = join(directory, 'values.json')
    writeFileSync(values, JSON.stringify(VALUES))
  })
  afterAll(() => rmSync(directory, { recursive: true, force: true }))

  const env = () => ({ PATH: process.env['PATH'], HOME: directory })
  const run = (...argv: string[]) => spawnSync(helm.path, argv, { encoding: 'utf8', env: env() })
  const rendered = (...argv: string[]): Looked[] => {
    const { status, stdout, stderr } = run('template', 'trueup', CHART, '-n', 'trueup', '-f', values, ...argv)
    expect(status, stderr).toBe(0)
    return parseAllDocuments(stdout)
      .map((document) => document.toJS() as Looked)
      .filter(Boolean)
  }
  const pods = (documents: Looked[]): Looked[] => documents.filter(({ kind }) => kind === 'StatefulSet')

  it('is taken by lint, and says what it needs', () => {
    const lint = run('lint', '--strict', CHART, '-f', values)
    expect(lint.status, lint.stdout).toBe(0)
    for (const [without, named] of [
      ['image.repository=', 'image.repository: the image'],
      ['publicUrl=', 'publicUrl: the address'],
      ['runners.default.enrolmentSecret=', 'runners.default.enrolmentSecret: the secret'],
      ['agents.edge.config=null', 'agents.edge.config: the repositories'],
      ['server.replicas=2', 'replicas'],
    ] as const) {
      const { status, stderr } = run('template', CHART, '-f', values, '--set', without)
      expect([without, status, stderr]).toEqual([without, 1, expect.stringContaining(named)])
    }
  })

  it('starts commands that there are, with a configuration that agents read', async () => {
    const program = await commandTree()
    const documents = rendered()
    const calls = pods(documents).map(({ spec }) => spec.template.spec.containers[0].args as string[])
    expect(new Set(calls.map(([command]) => command))).toEqual(new Set(['agent', 'runner', 'up']))
    for (const call of calls) expect(problemOf(program, call, true), call.join(' ')).toBeNull()
    const { data } = documents.find(({ kind }) => kind === 'ConfigMap')
    for (const [name, text] of Object.entries<string>(data)) writeFileSync(join(directory, name), text)
    const { options, repositories } = readAgentConfig(join(directory, 'agent.yaml'))
    expect([options.server, Object.keys(repositories)]).toEqual(['https://trueup.example.org', ['shop']])
  })

  it('gives pods nothing that they do not need', () => {
    for (const { metadata, spec } of pods(rendered())) {
      const { containers, securityContext, automountServiceAccountToken } = spec.template.spec
      expect([metadata.name, securityContext]).toEqual([metadata.name, expect.objectContaining({ runAsNonRoot: true })])
      expect(automountServiceAccountToken).toBe(metadata.name !== 'trueup')
      expect(containers[0].securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      })
    }
  })

  it('hands the address of a database in by a secret, where one is named', () => {
    const of = (...argv: string[]) =>
      pods(rendered(...argv)).find(({ metadata }) => metadata.name === 'trueup').spec.template.spec.containers[0].env
    expect(JSON.stringify(of())).not.toContain('TRUEUP_DATABASE')
    expect(of('--set', 'server.databaseSecret=rows')).toContainEqual({
      name: 'TRUEUP_DATABASE',
      valueFrom: { secretKeyRef: { name: 'rows', key: 'url' } },
    })
  })

  it('hands variables to every server, runner and agent', () => {
    const address = 'http://collector:4318'
    const pods = rendered('--set', `env.OTEL_EXPORTER_OTLP_ENDPOINT=${address}`).filter(
      ({ kind }) => kind === 'StatefulSet' || kind === 'Deployment',
    )
    expect(pods.length).toBeGreaterThan(2)
    for (const { spec } of pods)
      expect(spec.template.spec.containers[0].env).toContainEqual({
        name: 'OTEL_EXPORTER_OTLP_ENDPOINT',
        value: address,
      })
    expect(run('template', 'trueup', CHART, '-f', values, '--set', 'env.NOT-ONE=x').stderr).toContain('NOT-ONE')
  })

  it('brings workers alone for a server that is elsewhere', () => {
    const kinds = rendered('--set', 'server.enabled=false').map(({ kind, metadata }) => `${kind}/${metadata.name}`)
    expect(kinds).toContain('StatefulSet/trueup-runner-default')
    expect(kinds.filter((name) => name.endsWith('/trueup'))).toEqual([])
  })
})

describeWithTool('kube-apiserver', 'the Helm chart on a real API server', () => {
  let cluster: TestCluster
  let directory: string
  let values: string
  const helm = (...argv: string[]) => {
    const env = { PATH: process.env['PATH'], HOME: directory, KUBECONFIG: cluster.kubeconfig }
    return execFileSync(requireTool('helm').path, argv, { encoding: 'utf8', env, stdio: ['ignore', 'pipe', 'pipe'] })
  }
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'trueup-chart-'))
    values = join(directory, 'values.json')
    writeFileSync(values, JSON.stringify(VALUES))
    cluster = await startCluster()
    for (const namespace of ['trueup', 'shop', 'bank']) cluster.kubectl(['create', 'namespace', namespace])
  })
  afterAll(async () => {
    await cluster?.stop()
    rmSync(directory, { recursive: true, force: true })
  })

  it('is installed, changed by server-side apply without a conflict, and removed', () => {
    const said = helm('install', 'trueup', CHART, '-n', 'trueup', '-f', values)
    expect(said).toContain('exec trueup-0 -- cat /var/lib/trueup/admin.token')
    expect(said).toContain('--from-literal=trueup-runner-default-1=')
    const names = () => cluster.kubectl(['-n', 'trueup', 'get', 'statefulsets', '-o', 'name']).trim().split('\n')
    expect(names()).toHaveLength(3)
    const text = helm('template', 'trueup', CHART, '-n', 'trueup', '-f', values, '--validate', '--is-upgrade')
    const apply = ['apply', '--server-side', '--force-conflicts', '-f', '-']
    expect(cluster.kubectl(apply, text)).toContain('serverside-applied')

    const can = (account: string, verb: string, resource: string, namespace: string): string => {
      const as = `system:serviceaccount:trueup:${account}`
      try {
        return cluster.kubectl(['auth', 'can-i', verb, resource, '-n', namespace, '--as', as]).trim()
      } catch {
        return 'no'
      }
    }
    for (const worker of ['trueup-runner-default', 'trueup-agent-edge']) {
      expect(can(worker, 'patch', 'deployments', 'shop')).toBe('yes')
      expect(can(worker, 'patch', 'deployments', 'bank')).toBe('no')
      expect(can(worker, 'get', 'secrets', 'trueup')).toBe('no')
      expect(can(worker, 'create', 'rolebindings', 'shop')).toBe('no')
    }
    expect(can('trueup-server', 'get', 'configmaps', 'trueup')).toBe('no')

    helm('uninstall', 'trueup', '-n', 'trueup')
    expect(names()).toEqual([''])
    expect(cluster.kubectl(['-n', 'shop', 'get', 'roles', '-o', 'name'])).toBe('')
  })
})
