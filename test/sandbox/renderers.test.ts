import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { inspect } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { KubernetesConfig } from '../../src/drivers/kubernetes/config.ts'
import { kubernetesDriver } from '../../src/drivers/kubernetes/index.ts'
import { render } from '../../src/drivers/kubernetes/source/render.ts'
import { type SourceFile, testContext } from '../../src/drivers/testing/context.ts'
import { TrueupError } from '../../src/lib/errors/error.ts'
import { openSandboxes } from '../../src/worker/sandbox/sandbox.ts'
import { DEFAULT_LIMITS } from '../../src/worker/sandbox/settings.ts'
import { findNewTool, findTool } from '../tools.ts'
import { describeWithSandbox } from './available.ts'

/** What a renderer could be made to fetch or execute by its source; a canary in what is rendered, or a mark, is a success. */
interface Attempt {
  files: { [path: string]: SourceFile }
  with?: object
  /** Comes through beside the worker: a renderer that may read what the worker may. Others are refused in either place. */
  bites?: boolean
}

const kustomize = findNewTool('kustomize', '5.0.0') ?? findTool('kubectl')
const helm = findTool('helm')
const describeRenderers = kustomize === null || helm === null ? describe.skip : describe
const NAME = `sources of Helm and Kustomize${kustomize === null || helm === null ? ' (skipped: helm or kustomize is missing)' : ''}`

describeRenderers(NAME, () => {
  const root = mkdtempSync(join(tmpdir(), 'trueup-renderers-'))
  const data = join(root, 'data')
  const mark = join(root, 'marks')
  let server: Server
  let attempts: { readonly [name: string]: Attempt }
  let hits = 0

  beforeAll(async () => {
    server = createServer((_asked, answer) => {
      hits++
      answer.end(map('canary-loopback'))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    mkdirSync(mark)
    holdRepository(join(data, 'repositories/other'))
    holdChart(join(data, 'workspaces/other/chart'))
    writeFileSync(join(data, 'identity.json'), 'canary-worker')
    const { port } = server.address() as AddressInfo
    attempts = attemptsOn({ data, mark, service: `http://127.0.0.1:${port}` })
  })
  afterAll(() => {
    server.closeAllConnections()
    server.close()
    rmSync(root, { recursive: true, force: true })
  })

  /** Whether an attempt came through: in what was rendered or said, in a mark, or at the service on loopback. */
  async function succeeds(name: string, { files, ...attempt }: Attempt, sandboxed: boolean): Promise<boolean> {
    const PATH = [kustomize!, helm!].map(({ path }) => dirname(path)).concat(process.env.PATH ?? '')
    const config = KubernetesConfig.parse(attempt.with ?? {})
    const context = await testContext({ config, files, env: { PATH: PATH.join(delimiter) } })
    const before = hits
    rmSync(join(mark, name), { force: true })
    const sandboxes = openSandboxes({ mode: 'require', read: PATH.slice(0, 2), allow: [], limits: DEFAULT_LIMITS, hide: [data, mark] }) // biome-ignore format: settings
    const order = { untrusted: false, network: [], workspace: { root: context.root, tree: context.workspace } }
    const sandbox = sandboxed ? await sandboxes.open({ ...order, cache: context.cache, log: () => {} }) : undefined
    const inside = sandbox ? { ...context, run: sandbox.run } : context
    let words = ''
    // One after the other: both fetch into the run's own directory.
    const asks = [() => render(inside), () => kubernetesDriver.validate(inside)]
    for (const ask of asks) words += await ask().then(JSON.stringify, wordsOf)
    await sandbox?.close()
    await context.remove()
    if (process.env.CORPUS_SHOW) process.stderr.write(`${name} ${sandboxed}: ${words}\n`)
    return words.includes('canary-') || hits > before || existsSync(join(mark, name))
  }

  describeWithSandbox('in a sandbox', () => {
    it('reach nothing', { timeout: 120_000 }, async () => {
      const through: string[] = []
      for (const [name, attempt] of Object.entries(attempts)) {
        if (await succeeds(name, attempt, true)) through.push(name)
      }
      expect(through).toEqual([])
    })
  })

  it('reach beside the worker what the worker may read, and execute nothing', { timeout: 120_000 }, async () => {
    const through: string[] = []
    for (const [name, attempt] of Object.entries(attempts)) {
      if (await succeeds(name, attempt, false)) through.push(name)
    }
    const wanted = Object.entries(attempts).flatMap(([name, { bites }]) => (bites ? [name] : []))
    expect(through.toSorted()).toEqual(wanted.toSorted())
  })

  it('would execute with the options that are never given, so that these attempts are known to bite', () => {
    const directory = join(root, 'bite')
    for (const [path, content] of Object.entries(attempts['kustomize-exec']!.files))
      place(join(directory, path), content)
    const flags = ['--enable-alpha-plugins', '--enable-exec', '--load-restrictor', 'LoadRestrictionsNone']
    const verb = kustomize!.path.endsWith('kubectl') ? 'kustomize' : 'build'
    spawnSync(kustomize!.path, [verb, join(directory, 'stack'), ...flags], { cwd: join(directory, 'stack') })
    if (verb === 'build') expect(existsSync(join(mark, 'kustomize-exec'))).toBe(true)
    const plugin = join(directory, 'plugins')
    const env = { ...process.env, HELM_PLUGINS: plugin }
    for (const [path, content] of Object.entries(attempts['helm-getter']!.files))
      place(join(directory, 'helm', path), content)
    place(join(plugin, 'evil/plugin.yaml'), pluginOf(join(mark, 'helm-getter')))
    place(join(plugin, 'evil/get.sh'), touching(join(mark, 'helm-getter')))
    spawnSync(helm!.path, ['dependency', 'update', join(directory, 'helm/stack')], { env })
    expect(existsSync(join(mark, 'helm-getter'))).toBe(true)
  })
})

const wordsOf = (thrown: unknown): string =>
  thrown instanceof TrueupError ? JSON.stringify(thrown.text) : inspect(thrown)

const map = (content: string): string => `apiVersion: v1
kind: ConfigMap
metadata: { name: a }
data: { a: ${content} }
`
const chart = (more = ''): string => `apiVersion: v2\nname: app\nversion: 1.0.0\n${more}`
const touching = (file: string): SourceFile => ({ content: `#!/bin/sh\n: > '${file}'\n`, mode: 0o755 })
/** A plugin that fetches `evil://` and is a post-renderer, as a repository could hold it. */
const pluginOf = (file: string): string => `name: evil
version: 0.1.0
usage: x
description: x
command: "sh -c ':>${file}'"
downloaders:
  - command: get.sh
    protocols: [evil]
`

function attemptsOn({ data, mark, service }: { data: string; mark: string; service: string }): {
  readonly [name: string]: Attempt
} {
  const at = (name: string): string => join(mark, name)
  const kustomization = (text: string, more: Attempt['files'] = {}): Attempt => ({
    files: { 'stack/kustomization.yaml': text, 'stack/map.yaml': map('x'), ...more },
  })
  /** A function of Kustomize's: a program, or an image. */
  const fn = (annotation: string): string => `apiVersion: example.org/v1
kind: Evil
metadata:
  name: evil
  annotations:
    config.kubernetes.io/function: |
      ${annotation}
`
  const exec = (name: string, field: string): Attempt =>
    kustomization(`resources: [map.yaml]\n${field}: [fn.yaml]\n`, {
      'stack/fn.yaml': fn('exec: { path: ./evil.sh }'),
      'stack/evil.sh': touching(at(name)),
    })
  const legacy = (name: string, file: string): Attempt =>
    kustomization('resources: [map.yaml]\ngenerators: [gen.yaml]\n', {
      'stack/gen.yaml': 'apiVersion: example.org/v1\nkind: Evil\nmetadata: { name: evil }\n',
      [`stack/plugin/example.org/v1/evil/${file}`]: touching(at(name)),
      [`stack/.config/kustomize/plugin/example.org/v1/evil/${file}`]: touching(at(name)),
    })
  const templates = (template: string, more = '', settings: object = {}): Attempt => ({
    files: { 'stack/Chart.yaml': chart(more), 'stack/templates/map.yaml': template },
    with: { helm: settings },
  })
  const dependency = (repository: string): string =>
    `dependencies: [{ name: other, version: 1.0.0, repository: "${repository}" }]\n`
  const plugin = { 'stack/plugins/evil/plugin.yaml': pluginOf(at('helm-plugin')) }
  return {
    'kustomize-exec': exec('kustomize-exec', 'generators'),
    'kustomize-transformer': exec('kustomize-transformer', 'transformers'),
    'kustomize-validator': exec('kustomize-validator', 'validators'),
    'kustomize-container': kustomization('resources: [map.yaml]\ntransformers: [fn.yaml]\n', {
      'stack/fn.yaml': fn('container: { image: "example.org/evil:1", network: true }'),
    }),
    'kustomize-starlark': kustomization('resources: [map.yaml]\ntransformers: [fn.yaml]\n', {
      'stack/fn.yaml': fn('starlark: { name: evil, path: ./evil.star }'),
      'stack/evil.star': `load("${data}/identity.json", "x")\n`,
    }),
    'kustomize-legacy-plugin': legacy('kustomize-legacy-plugin', 'Evil'),
    'kustomize-go-plugin': legacy('kustomize-go-plugin', 'Evil.so'),
    'kustomize-chart': kustomization(`helmGlobals: { chartHome: ${data}/workspaces/other }\nhelmCharts: [{ name: chart }]\n`),
    'kustomize-chart-post': kustomization(`helmCharts: [{ name: app, repo: "${service}", version: 1.0.0 }]\n`),
    'kustomize-file': kustomization(`configMapGenerator: [{ name: a, files: ["${data}/identity.json"] }]\n`),
    'kustomize-path': kustomization(`resources: ["${data}/repositories/other/map.yaml"]\n`),
    'kustomize-base': { ...kustomization(`resources: ["file://${data}/repositories/other?ref=main"]\n`), bites: true },
    'kustomize-remote': { ...kustomization(`resources: ["${service}/map.yaml"]\n`), bites: true },
    'kustomize-patch': { ...kustomization(`resources: [map.yaml]\npatches: [{ path: "${service}/map.yaml" }]\n`), bites: true },
    'helm-files': templates(`${map('{{ .Files.Get "../../../../data/identity.json" | quote }}')}`),
    'helm-files-absolute': templates(map(`{{ .Files.Get "${data}/identity.json" | quote }}`)),
    'helm-environment': templates(map('{{ env "HOME" }}')),
    'helm-values': templates(map('x'), '', { valueFiles: [`../../../../..${data}/identity.json`] }),
    'helm-values-address': templates(map('x'), '', { valueFiles: [`${service}/values.yaml`] }),
    'helm-chart': { files: { 'stack/a.yaml': map('x') }, with: { helm: { chart: `${data}/workspaces/other/chart` } } },
    'helm-option': { files: { 'stack/Chart.yaml': chart() }, with: { helm: { chart: `--post-renderer=${at('helm-option')}` } } },
    'helm-getter': { files: { ...templates(map('x'), dependency('evil://here')).files, ...plugin, 'stack/plugins/evil/get.sh': touching(at('helm-getter')) } },
    'helm-plugin': { files: { ...templates(map('x')).files, ...plugin } },
    'helm-dependency': { ...templates('', dependency(`file://${data}/workspaces/other/chart`)), bites: true },
    'helm-repository': { ...templates('', dependency(service)), bites: true },
    'helm-fetched': { files: { 'stack/a.yaml': map('x') }, with: { helm: { chart: 'app', repo: service, version: '1.0.0' } }, bites: true },
  } // biome-ignore format: a table
}

function place(path: string, content: SourceFile): void {
  mkdirSync(dirname(path), { recursive: true })
  if (typeof content === 'string' || Buffer.isBuffer(content)) writeFileSync(path, content)
  else if ('content' in content) writeFileSync(path, content.content, { mode: content.mode })
}

function holdRepository(directory: string): void {
  place(join(directory, 'map.yaml'), map('canary-repository'))
  place(join(directory, 'kustomization.yaml'), 'resources: [map.yaml]\n')
  const git = (...argv: string[]): unknown =>
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.org', ...argv], {
      cwd: directory,
      stdio: 'pipe',
    })
  git('init', '-q', '-b', 'main')
  git('add', '.')
  git('commit', '-q', '-m', 'x')
}

function holdChart(directory: string): void {
  place(join(directory, 'Chart.yaml'), 'apiVersion: v2\nname: other\nversion: 1.0.0\n')
  place(join(directory, 'templates/map.yaml'), map('canary-chart'))
}
