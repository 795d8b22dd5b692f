import { describe, expect, it } from 'vitest'
import { KubernetesConfig } from './config.ts'
import { dependencies, dependencyChanges } from './dependencies.ts'
import { detect } from './detect.ts'

type Files = { [path: string]: string }
const reading = (files: Files) => (path: string) => Promise.resolve(path in files ? Buffer.from(files[path]!) : null)
const listing = (files: Files) => (directory: string) =>
  Promise.resolve(Object.keys(files).filter((path) => path.startsWith(`${directory}/`)))
const detected = async (files: Files): Promise<string[]> =>
  (await detect(Object.keys(files), reading(files))).map(({ path }) => path)
const needed = (files: Files, path: string, config: object = {}): Promise<string[]> =>
  dependencies(reading(files), listing(files), path, KubernetesConfig.parse(config))

const MAP = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n'
const KUSTOMIZATION = (...resources: string[]): string => `resources: [${resources.join(', ')}]\n`

describe('stacks of a repository', () => {
  it('are overlays and not their bases or components', async () => {
    const files = {
      'shop/base/kustomization.yaml': KUSTOMIZATION('map.yaml'),
      'shop/base/map.yaml': MAP,
      'shop/debug/kustomization.yaml': 'kind: Component\nresources: [map.yaml]\n',
      'shop/debug/map.yaml': MAP,
      'shop/production/kustomization.yaml': 'resources: [../base]\ncomponents: [../debug]\n',
      'shop/staging/kustomization.yaml': KUSTOMIZATION('../base', '../../lone/map.yaml'),
      'lone/map.yaml': MAP,
    }
    expect(await detected(files)).toEqual(['shop/production', 'shop/staging'])
  })

  it('are charts, but neither libraries nor parts of charts', async () => {
    const chart = (name: string, more = ''): string => `apiVersion: v2\nname: ${name}\nversion: 1.0.0\n${more}`
    const files = {
      'charts/web/Chart.yaml': chart('web'),
      'charts/web/templates/map.yaml': MAP,
      'charts/web/charts/inner/Chart.yaml': chart('inner'),
      'charts/common/Chart.yaml': chart('common', 'type: library\n'),
    }
    expect(await detected(files)).toEqual(['charts/web'])
  })

  it('are the topmost directories of nothing but objects', async () => {
    const files = {
      'deploy/a.yaml': MAP,
      'deploy/more/b.yaml': MAP,
      'mixed/compose.yaml': 'services: {}\n',
      'mixed/objects/a.yaml': MAP,
      'examples/a.yaml': MAP,
      '.github/workflows/ci.yaml': 'on: push\n',
      'catalog/info.yaml': 'apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {name: x}\n',
      'kube/config.yaml': 'apiVersion: v1\nkind: Config\nclusters: []\n',
      'crs/thing.yaml': 'apiVersion: example.org/v1\nkind: Thing\nmetadata: {name: x}\n',
      'src/index.json': '{"name": "x"}',
    }
    expect(await detected(files)).toEqual(['deploy', 'mixed/objects'])
  })
})

describe('what other tools deploy of a repository', () => {
  const FLUX = (path: string, more = ''): string =>
    `apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: a}\nspec: {path: ${path}${more}}\n`
  const ARGO = (kind: string, spec: string): string =>
    `apiVersion: argoproj.io/v1alpha1\nkind: ${kind}\nmetadata: {name: shop}\nspec: ${spec}\n`
  const proposed = (files: Files) => detect(Object.keys(files), reading(files))

  it('is left to Flux, but for what tells Flux to', async () => {
    const files = {
      'clusters/one/flux-system/kustomization.yaml': KUSTOMIZATION('sync.yaml'),
      'clusters/one/flux-system/sync.yaml': FLUX('./clusters/one'),
      'clusters/one/apps.yaml': FLUX('./apps/one/', ', targetNamespace: shop'),
      'apps/one/kustomization.yaml': KUSTOMIZATION('map.yaml'),
      'apps/one/map.yaml': MAP,
      'apps/two/map.yaml': MAP,
    }
    const why = 'Flux (clusters/one/apps.yaml)'
    expect(await proposed(files)).toEqual([
      { path: 'apps/one', leftTo: why },
      { path: 'apps/two' },
      { path: 'clusters/one', with: { exclude: ['flux-system/**'] } },
      { path: 'clusters/one/flux-system' },
    ])
  })

  it('gets the namespace of its one Application, and is left to Argo CD where that renders something else', async () => {
    const source = (path: string, more = ''): string =>
      `{source: {path: ${path}${more}}, destination: {namespace: shop}}`
    const files = {
      'argo/plain.yaml': ARGO('Application', source('web')),
      'argo/more.yaml': ARGO('Application', source('patched', ', kustomize: {namePrefix: a-}')),
      'web/map.yaml': MAP,
      'patched/map.yaml': MAP,
    }
    expect(await proposed(files)).toEqual([
      { path: 'argo' },
      { path: 'patched', leftTo: 'Argo CD (Application shop)' },
      { path: 'web', with: { namespace: 'shop' } },
    ])
  })

  it('is left to the ApplicationSet that may name it', async () => {
    const template = (path: string): string => `template: {spec: {source: {path: '${path}'}}}`
    const git = '{matrix: {generators: [{git: {directories: [{path: apps/*}, {path: apps/x, exclude: true}]}}]}}'
    const files = {
      'sets/git.yaml': ARGO('ApplicationSet', `{generators: [${git}], ${template('{{path}}')}}`),
      'sets/list.yaml': ARGO('ApplicationSet', `{generators: [], ${template('live/{{ .env }}/web')}}`),
      'apps/a/map.yaml': MAP,
      'apps/a/README.json': 'no object',
      'apps/b/map.yaml': MAP,
      'live/one/web/map.yaml': MAP,
      'live/one/db/map.yaml': MAP,
      'live/one/text.json': '{}',
    }
    const left = 'Argo CD (ApplicationSet shop)'
    expect(await proposed(files)).toEqual([
      { path: 'apps/b', leftTo: left },
      { path: 'live/one/db' },
      { path: 'live/one/web', leftTo: left },
      { path: 'sets' },
    ])
  })
})

describe('what a stack is built from', () => {
  const files = {
    'base/kustomization.yaml':
      'resources: [deployment.yaml]\nconfigMapGenerator: [{name: a, files: [x=../files/x.ini]}]\n',
    'base/deployment.yaml': MAP,
    'files/x.ini': 'x',
    'overlays/production/kustomization.yaml':
      'resources: [../../base, "https://example.org/remote?ref=v1"]\npatches: [{path: ../../patches/p.yaml}, {patch: "a: b\\n"}]\n',
    'patches/p.yaml': MAP,
    'charts/web/Chart.yaml':
      'name: web\ndependencies: [{name: common, version: 1.0.0, repository: "file://../common"}, {name: x, repository: "https://example.org"}]\n',
    'charts/common/Chart.yaml': 'name: common\n',
    'values/production.yaml': 'a: b\n',
  }

  it('are bases, what these use, patches and files', async () => {
    expect(await needed(files, 'overlays/production')).toEqual(['base', 'files/x.ini', 'patches/p.yaml'])
    expect(await needed(files, 'overlays', { directory: '{environment}' })).toEqual([
      'base',
      'files/x.ini',
      'patches/p.yaml',
    ])
  })

  it('are local charts and value files', async () => {
    const helm = { valueFiles: ['../../values/{environment}.yaml'] }
    expect(await needed(files, 'charts/web', { helm })).toEqual(['charts/common', 'values'])
    expect(await needed(files, 'deploy', { helm: { chart: '../charts/web' } })).toEqual(['charts/common', 'charts/web'])
    expect(await needed(files, 'deploy', { helm: { chart: 'oci://example.org/x', version: '1.0.0' } })).toEqual([])
  })

  it('lies inside the repository', async () => {
    const helm = { valueFiles: ['../../x.yaml'] }
    await expect(needed(files, 'deploy', { helm })).rejects.toMatchObject({ code: 'PATH_OUTSIDE' })
  })

  it('changes only with what refers to other paths', async () => {
    const after = {
      ...files,
      'base/deployment.yaml': `${MAP}data: {}\n`,
      'base/kustomization.yaml': `namespace: x\n${files['base/kustomization.yaml']}`,
      'overlays/production/kustomization.yaml': 'resources: [../../other]\n',
    }
    const changed = ['base/deployment.yaml', 'base/kustomization.yaml', 'overlays/production/kustomization.yaml']
    expect(await dependencyChanges(reading(files), reading(after), changed)).toEqual([
      'overlays/production/kustomization.yaml',
    ])
  })
})
