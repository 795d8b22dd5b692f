import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openShell, type Ran, type Shell } from '../src/cli/testing/process.ts'
import { runProcess } from '../src/lib/process/run.ts'
import { startCluster, type TestCluster } from './kube/cluster.ts'
import { describeWithTool } from './tools.ts'

const MAIN = join(import.meta.dirname, '..', 'src', 'cli', 'main.ts')
const CONFIG = `version: 1
environments:
  production:
    drift: { mode: enforce, interval: 1h }
  staging: { tier: staging, onFailure: rollback, drift: { interval: 1h } }
stacks:
  - path: shop
    driver: kubernetes
    with: { namespace: shop, createNamespace: true }
    environments: [production]
  - path: web
    driver: kubernetes
    with: { namespace: web, createNamespace: true, waitTimeout: 60s }
    environments: [staging]
`
const MAP = (value: string): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: shop}\ndata: {greeting: ${value}, extra: "\${variables.WORD}"}\n`

const IN_SYNC = /production: 1 in sync\nstaging: 1 in sync/
const SERVICE = (name: string, wave: number): string =>
  `apiVersion: v1\nkind: Service\nmetadata: {name: ${name}, annotations: {trueup.dev/wave: "${wave}"}}\nspec: {type: NodePort, ports: [{port: 80, protocol: TCP, nodePort: 30080}]}\n`

/** The whole way, by nothing but real processes: git, the command line, server, runner and API server. */
describeWithTool('kube-apiserver', 'a Kubernetes stack from a push to a healed object', () => {
  let shell: Shell
  let cluster: TestCluster
  let work: string

  const works = async (args: string[], input?: string): Promise<Ran> => {
    const ran = await shell.run(args, { cwd: work, ...(input !== undefined && { input }) })
    expect(ran.code, `trueup ${args.join(' ')}: ${ran.err}`).toBe(0)
    return ran
  }
  const git = async (...args: string[]): Promise<void> => {
    const { exitCode, stderr } = await runProcess({ argv: ['git', ...args], cwd: work, env: shell.env })
    expect(exitCode, `git ${args.join(' ')}: ${stderr}`).toBe(0)
  }
  const write = async (path: string, text: string): Promise<void> => {
    await mkdir(dirname(join(work, path)), { recursive: true })
    await writeFile(join(work, path), text)
  }
  const live = async (): Promise<unknown> =>
    (await cluster.api('GET', '/api/v1/namespaces/shop/configmaps/shop')).body.data

  beforeAll(async () => {
    ;[cluster, shell] = await Promise.all([startCluster(), openShell()])
    const { url } = await shell.up(['--runner-slots', '2'])
    work = join(shell.home, 'shop')
    await mkdir(work)
    await git('config', '--global', `credential.${url}.helper`, `!${process.execPath} ${MAIN} git-credential`)
  })
  afterAll(async () => {
    await shell?.close()
    await cluster?.stop()
  })

  it('is deployed, and what is changed by hand is put right at once', { timeout: 300_000 }, async () => {
    await works(['repo', 'create', 'shop'])
    await git('init', '--quiet', '--initial-branch', 'main')
    await write('trueup.yaml', CONFIG)
    await write('shop/map.yaml', MAP('hello'))
    await write('web/base.yaml', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: base}\n')
    await git('add', '.')
    await git('commit', '--quiet', '--message', 'Open the shop')
    await git('remote', 'add', 'origin', (await works(['repo', 'show', 'shop', '--git-url'])).out.trim())
    const kubeconfig = await readFile(cluster.kubeconfig, 'utf8')
    await works(['variable', 'set', 'KUBECONFIG', '--repo', 'shop'], `# the cluster\n${kubeconfig}`)
    await works(['variable', 'set', 'WORD', '--repo', 'shop'], 'swordfish')
    await git('push', '--quiet', 'origin', 'HEAD:refs/heads/main')
    const data = { greeting: 'hello', extra: 'swordfish' }
    await expect.poll(live, { timeout: 180_000, interval: 200 }).toEqual(data)
    await expect.poll(async () => (await works(['status'])).out, { timeout: 180_000 }).toMatch(IN_SYNC)

    // The watch begins a moment after the deployment; what it does not see yet is seen with the next change.
    const tamper = async (): Promise<unknown> => {
      const path = '/api/v1/namespaces/shop/configmaps/shop'
      await cluster.api('PATCH', path, { data: { greeting: 'tampered' } }, 'application/merge-patch+json')
      return null
    }
    await tamper()
    await expect.poll(live, { timeout: 180_000, interval: 100 }).toEqual(data)
    const runs = await works(['run', 'list', '--output', 'json'])
    expect(runs.json.map(({ kind }: { kind: string }) => kind)).toContain('heal')
    expect(JSON.stringify([runs.out, (await works(['drift', 'list', '--output', 'json'])).out])).not.toContain(
      'swordfish',
    )
  })

  it('lets what it adopted live when the change fails and goes back by itself', { timeout: 300_000 }, async () => {
    const there = '/api/v1/namespaces/web/configmaps'
    const { metadata } = (await cluster.api('POST', there, { metadata: { name: 'old' }, data: { a: '0' } })).body
    await git('switch', '--quiet', '--create', 'adopt')
    await write('web/old.yaml', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: old}\ndata: {a: "1"}\n')
    await write('web/first.yaml', SERVICE('first', 1))
    // A dry run reserves no port: that it is taken is seen when it is made.
    await write('web/second.yaml', SERVICE('second', 2))
    await git('add', '.')
    await git('commit', '--quiet', '--message', 'Adopt the old map')
    await git('push', '--quiet', '--push-option', 'mr', 'origin', 'HEAD')
    expect((await works(['mr', 'show', '1', '--wait', '--plan'])).out).toContain('ConfigMap/web/old')
    expect((await shell.run(['mr', 'merge', '1', '--wait'], { cwd: work })).code).not.toBe(0)

    const back = async (): Promise<unknown> => (await works(['mr', 'list', '--state', 'all', '--output', 'json'])).json
    const merged = expect.objectContaining({ origin: 'rollback', state: 'merged' })
    await expect.poll(back, { timeout: 180_000, interval: 200 }).toContainEqual(merged)
    await expect.poll(async () => (await works(['status'])).out, { timeout: 180_000 }).toMatch(IN_SYNC)
    const left = (await cluster.api('GET', there)).body.items
    const old = left.find((item: { metadata: { name: string } }) => item.metadata.name === 'old')
    expect(old.metadata.uid).toBe(metadata.uid)
    expect(old.metadata.annotations ?? {}).toEqual({})
    expect((await cluster.api('GET', '/api/v1/namespaces/web/services')).body.items).toEqual([])
  })
})
