import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openShell, type Ran, type Shell } from '../src/cli/testing/process.ts'
import { runProcess } from '../src/lib/process/run.ts'
import { startCluster, type TestCluster } from './kube/cluster.ts'
import { startTlsIssuer, type TlsIssuer } from './kube/tls-issuer.ts'
import { describeWithTool } from './tools.ts'

const MAIN = join(import.meta.dirname, '..', 'src', 'cli', 'main.ts')
const AUDIENCE = 'https://lab.example.org'
const CONFIG = (kubeconfig: string): string => `version: 1
environments:
  lab: { drift: { interval: 1h } }
stacks:
  - path: probe
    driver: command
    identity:
      KUBE_TOKEN: { audience: ${AUDIENCE} }
      OTHER_TOKEN: { audience: https://another.example.org }
    with:
      plan: sh ask.sh; exit 2
      apply: sh ask.sh
  - path: shop
    driver: kubernetes
    needs: [probe]
    identity:
      KUBE_TOKEN: { audience: ${AUDIENCE} }
    with: { kubeconfig: ${kubeconfig}, token: KUBE_TOKEN, namespace: default }
`
/** Asks as a tool in the run would; what it prints is the same in every run. */
const ASK = (server: string, caFile: string): string => `
code() { # TOKEN METHOD PATH [BODY]
  curl --silent --output /dev/null --write-out '%{http_code}' --cacert ${caFile} -X "$2" \\
    -H "Authorization: Bearer $1" -H 'Content-Type: application/json' \${4:+--data "$4"} "${server}$3"
}
ask() { # NAME TOKEN METHOD PATH [BODY]
  name=$1; shift
  echo "$TRUEUP_PHASE $name: $(code "$@")"
}
# The API server looks for the issuer's keys when it likes, and believes nobody before.
for i in $(seq 180); do
  [ "$(code "$KUBE_TOKEN" GET /api/v1/namespaces)" = 401 ] || break
  sleep 1
done
ask read "$(cat "$KUBE_TOKEN_FILE")" GET /api/v1/namespaces/default/configmaps
ask write "$KUBE_TOKEN" POST /api/v1/namespaces/default/configmaps '{"metadata":{"name":"by-'$TRUEUP_PHASE'"}}'
ask audience "$OTHER_TOKEN" GET /api/v1/namespaces/default/configmaps
echo "said $KUBE_TOKEN"
`
const rule = (name: string, verbs: string[]) => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRole',
  metadata: { name },
  rules: [{ apiGroups: ['*'], resources: ['*'], verbs }],
})
const binding = (name: string, phase: string) => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRoleBinding',
  metadata: { name },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
  subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: `trueup:repo:shop:env:lab:phase:${phase}` }],
})

/** Real processes on both sides: a server that issues, and an API server that believes by nothing but the issuer's keys. */
describeWithTool('kube-apiserver', 'runs sign in to a cluster by tokens of their own', () => {
  let shell: Shell
  let issuer: TlsIssuer
  let cluster: TestCluster
  let work: string

  const works = async (...args: string[]): Promise<Ran> => {
    const ran = await shell.run(args, { cwd: work })
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
  const logOf = async (stack: string): Promise<string> => {
    const runs: { id: string; stack: string }[] = (await works('run', 'list', '--kind', 'deploy', '--output', 'json'))
      .json
    const run = runs.find((one) => one.stack === stack)!
    return (await works('run', 'logs', run.id)).out
  }

  beforeAll(async () => {
    ;[shell, issuer] = await Promise.all([openShell(), startTlsIssuer()])
    const { url } = await shell.up(['--runner-slots', '2', '--issuer-url', `${issuer.url}/`])
    issuer.before(url)
    const oidc = {
      'issuer-url': issuer.url,
      'ca-file': issuer.caFile,
      'client-id': AUDIENCE,
      'username-claim': 'sub',
      'username-prefix': 'trueup:',
      'groups-claim': 'groups',
      'groups-prefix': 'trueup:',
      'required-claim': 'repository=shop',
    }
    cluster = await startCluster({
      apiserver: Object.entries(oidc).map(([name, value]) => `--oidc-${name}=${value}`),
    })
    for (const [phase, verbs] of [
      ['plan', ['get', 'list', 'watch']],
      ['apply', ['*']],
    ] as const) {
      await cluster.api('POST', '/apis/rbac.authorization.k8s.io/v1/clusterroles', rule(phase, [...verbs]))
      await cluster.api('POST', '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', binding(phase, phase))
    }
    work = join(shell.home, 'shop')
    await mkdir(work)
    await git('config', '--global', `credential.${url}.helper`, `!${process.execPath} ${MAIN} git-credential`)
  }, 300_000)
  afterAll(async () => {
    await shell?.close()
    await cluster?.stop()
    await issuer?.stop()
  })

  it('the plan may only read, the apply may write, and tokens stay out of sight', { timeout: 300_000 }, async () => {
    await works('repo', 'create', 'shop')
    await git('init', '--quiet', '--initial-branch', 'main')
    // It names the cluster, and nobody who could sign in to it.
    const named = join(shell.home, 'cluster.json')
    await writeFile(named, JSON.stringify(kubeconfig(cluster)))
    await write('trueup.yaml', CONFIG(named))
    await write('probe/ask.sh', ASK(cluster.server, join(cluster.directory, 'ca.crt')))
    await write('shop/map.yaml', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: shop}\ndata: {greeting: hello}\n')
    await git('add', '.')
    await git('commit', '--quiet', '--message', 'Open the shop')
    await git('remote', 'add', 'origin', (await works('repo', 'show', 'shop', '--git-url')).out.trim())
    await git('push', '--quiet', 'origin', 'main')
    const live = async () => (await cluster.api('GET', '/api/v1/namespaces/default/configmaps/shop')).body.data
    await expect.poll(live, { timeout: 180_000, interval: 200 }).toEqual({ greeting: 'hello' })

    const log = await logOf('lab/probe')
    for (const line of [
      'plan read: 200',
      'plan write: 403',
      'plan audience: 401',
      'apply read: 200',
      'apply write: 201',
    ])
      expect(log).toContain(line)
    expect(log).toContain('said ***')
    expect(log).not.toContain('eyJ')
    const maps = (await cluster.api('GET', '/api/v1/namespaces/default/configmaps')).body.items
    const names = maps.map(({ metadata }: { metadata: { name: string } }) => metadata.name)
    expect(names).toContain('by-apply')
    expect(names).not.toContain('by-plan')
  })

  it('keys of the issuer are shown, and replaced while the cluster goes on believing', {
    timeout: 300_000,
  }, async () => {
    const before = (await works('issuer', 'show', '--output', 'json')).json
    expect(before).toMatchObject({ issuer: issuer.url, keys: [{ signs: true }] })
    await works('issuer', 'rotate', '--now', '--output', 'json')
    const set = (await works('issuer', 'keys', '--output', 'json')).json
    expect(set.keys.map(({ kid }: { kid: string }) => kid)).not.toContain(before.keys[0].id)
    await write('shop/map.yaml', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: shop}\ndata: {greeting: again}\n')
    await git('switch', '--quiet', '--create', 'again')
    await git('commit', '--quiet', '--all', '--message', 'Greet again')
    await git('push', '--quiet', '--push-option', 'mr', 'origin', 'HEAD')
    await works('mr', 'show', '1', '--wait')
    await works('mr', 'merge', '1', '--wait')
    const live = async () => (await cluster.api('GET', '/api/v1/namespaces/default/configmaps/shop')).body.data
    await expect.poll(live, { timeout: 180_000, interval: 200 }).toEqual({ greeting: 'again' })
  })
})

const kubeconfig = ({ server, ca }: TestCluster) => ({
  apiVersion: 'v1',
  kind: 'Config',
  clusters: [{ name: 'lab', cluster: { server, 'certificate-authority-data': Buffer.from(ca).toString('base64') } }],
  contexts: [{ name: 'lab', context: { cluster: 'lab' } }],
  'current-context': 'lab',
})
