import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { delimiter, join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { describeWithTool, toolsDirectory } from '../../../../test/tools.ts'
import { type TestContext, testContext } from '../../testing/context.ts'
import { KubernetesConfig } from '../config.ts'
import { kubernetesDriver } from '../index.ts'
import { renderOrThrow } from './render.ts'

const CHART = (name: string, more = ''): string => `apiVersion: v2\nname: ${name}\nversion: 1.2.3\n${more}`
const MAP = `apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}-{{ .Chart.Name }}, namespace: {{ .Release.Namespace }}}
data:
  greeting: {{ .Values.greeting | quote }}
  found: {{ (lookup "v1" "Namespace" "" "default") | len | quote }}
  kube: {{ .Capabilities.KubeVersion.Version }}
  api: {{ .Capabilities.APIVersions.Has "example.org/v1" | quote }}
`

describeWithTool('helm', 'charts', (helm) => {
  let context: TestContext<KubernetesConfig>
  let server: Server | undefined
  afterEach(async () => {
    server?.close()
    await context.remove()
  })

  async function open(files: { [path: string]: string }, settings: object, name = 'web'): Promise<typeof context> {
    const env = { PATH: [process.env.PATH ?? '', toolsDirectory].join(delimiter) }
    context = await testContext({ config: KubernetesConfig.parse(settings), files, name, env })
    return context
  }
  const maps = async (): Promise<{ [name: string]: unknown }> => {
    const { manifests } = await renderOrThrow(context)
    return Object.fromEntries(manifests.map(({ object }) => [`${object.kind}/${object.metadata.name}`, object.data]))
  }

  it('are rendered with values in their order, and without a cluster', async () => {
    const helm = {
      valueFiles: ['../values/{environment}.yaml'],
      kubeVersion: '1.25.0',
      apiVersions: ['example.org/v1'],
    }
    await open(
      {
        'stack/Chart.yaml': CHART('app'),
        'stack/values.yaml': 'greeting: default\n',
        'stack/templates/map.yaml': MAP,
        'values/staging.yaml': 'greeting: staging\n',
      },
      { namespace: 'shop', helm },
    )
    const data = { greeting: 'staging', found: '0', kube: 'v1.25.0', api: 'true' }
    expect(await maps()).toEqual({ 'ConfigMap/web-app': data })
    context.config.helm!.values = { greeting: 'own' }
    expect(await maps()).toEqual({ 'ConfigMap/web-app': { ...data, greeting: 'own' } })
  })

  it('bring the local charts that they depend on', async () => {
    await open(
      {
        'stack/Chart.yaml': CHART(
          'app',
          'dependencies: [{name: common, version: 1.2.3, repository: "file://../common"}]\n',
        ),
        'common/Chart.yaml': CHART('common'),
        'common/values.yaml': 'greeting: common\n',
        'common/templates/map.yaml': MAP,
      },
      {},
    )
    expect(Object.keys(await maps())).toEqual(['ConfigMap/web-common'])
    expect(await kubernetesDriver.dependencies(context.read, context.list, 'stack', context.config)).toEqual(['common'])
  })

  it('come from a repository, in exactly one version, once', async () => {
    await open(
      {
        'source/Chart.yaml': CHART('app'),
        'source/values.yaml': 'greeting: remote\n',
        'source/templates/map.yaml': MAP,
      },
      {},
    )
    const served = join(context.root, 'served')
    execFileSync(helm.path, ['package', join(context.workspace, 'source'), '-d', served], {
      env: context.env,
      stdio: 'pipe',
    })
    execFileSync(helm.path, ['repo', 'index', served], { env: context.env, stdio: 'pipe' })
    const asked: string[] = []
    server = createServer((request, response) => {
      asked.push(request.url ?? '')
      readFile(join(served, request.url ?? '')).then(
        (content) => response.end(content),
        () => response.writeHead(404).end(),
      )
    })
    await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', () => resolve()))
    const repo = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    context.config = KubernetesConfig.parse({ helm: { chart: 'app', repo, version: '1.2.3' } })
    expect(await maps()).toMatchObject({ 'ConfigMap/web-app': { greeting: 'remote' } })
    const before = asked.length
    expect(before).toBeGreaterThan(0)
    expect(Object.keys(await maps())).toEqual(['ConfigMap/web-app'])
    expect(asked).toHaveLength(before)
    context.config = KubernetesConfig.parse({ helm: { chart: 'app', repo } })
    await expect(maps()).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  })

  it('come from an OCI registry', async () => {
    await open(
      {
        'source/Chart.yaml': CHART('app'),
        'source/values.yaml': 'greeting: registry\n',
        'source/templates/map.yaml': MAP,
      },
      {},
    )
    const argv = ['package', join(context.workspace, 'source'), '-d', context.root]
    execFileSync(helm.path, argv, { env: context.env, stdio: 'pipe' })
    const registry = await serveRegistry(await readFile(join(context.root, 'app-1.2.3.tgz')))
    server = registry.server
    context.config = KubernetesConfig.parse({ helm: { chart: `oci://${registry.host}/charts/app`, version: '1.2.3' } })
    expect(await maps()).toMatchObject({ 'ConfigMap/web-app': { greeting: 'registry' } })
  })

  it('are linted, and say where they are broken', async () => {
    await open({ 'stack/Chart.yaml': CHART('app'), 'stack/templates/map.yaml': MAP.replace('}}-', '}') }, {})
    const findings = await kubernetesDriver.validate(context)
    expect(findings).toMatchObject([{ severity: 'error', message: expect.stringContaining('templates/map.yaml') }])
    expect(JSON.stringify(findings)).not.toContain(context.root)
    await context.write({
      'stack/Chart.yaml': CHART('app'),
      'stack/templates/map.yaml': MAP,
      'stack/values.yaml': 'greeting: x\n',
    })
    expect((await kubernetesDriver.validate(context)).filter(({ severity }) => severity === 'error')).toEqual([])
  })
})

/** As much of https://github.com/opencontainers/distribution-spec as a pull of one chart needs. */
async function serveRegistry(chart: Buffer): Promise<{ server: Server; host: string }> {
  const config = Buffer.from(JSON.stringify({ name: 'app', version: '1.2.3', apiVersion: 'v2' }))
  const described = (mediaType: string, content: Buffer) => ({
    mediaType,
    digest: digest(content),
    size: content.length,
  })
  const layers = [described('application/tar+gzip', chart)]
  const type = 'application/vnd.oci.image.manifest.v1+json'
  const manifest = Buffer.from(
    JSON.stringify({ schemaVersion: 2, config: described('application/vnd.cncf.helm.config.v1+json', config), layers }),
  )
  const contents = new Map([manifest, config, chart].map((content) => [digest(content), content]))
  const server = createServer((request, response) => {
    const name = (request.url ?? '').split('/').at(-1) ?? ''
    const content = name === '1.2.3' ? manifest : contents.get(name)
    if (!content) return response.writeHead(404).end()
    const isManifest = content === manifest
    response.setHeader('content-type', isManifest ? type : 'application/octet-stream')
    response.setHeader('docker-content-digest', digest(content))
    response.setHeader('content-length', content.length)
    return response.end(request.method === 'HEAD' ? undefined : content)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
  return { server, host: `127.0.0.1:${(server.address() as AddressInfo).port}` }
}

const digest = (content: Buffer): string => `sha256:${createHash('sha256').update(content).digest('hex')}`
