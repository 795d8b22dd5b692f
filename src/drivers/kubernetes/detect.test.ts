import { describe, expect, it } from 'vitest'
import { KubernetesConfig } from './config.ts'
import { dependencies, dependencyChanges } from './dependencies.ts'
import { detect } from './detect.ts'

type Files = { [path: string]: string }
const reading = (files: Files) => (path: string) => Promise.resolve(path in files ? Buffer.from(files[path]!) : null)
const listing = (files: Files) => (directory: string) =>
  Promise.resolve(Object.keys(files).filter((path) => path.startsWith(`${directory}/`)))
const detected = async (files: Files): Promise<string[]> =>
  (await detect(Object.keys(files), reading(files))).stacks.map(({ path }) => path)
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

describe('a directory of manifests', () => {
  it('leaves out the charts and kustomizations below it', async () => {
    const files = {
      'clusters/one/flux-system/kustomization.yaml': KUSTOMIZATION('sync.yaml'),
      'clusters/one/flux-system/sync.yaml': MAP,
      'clusters/one/apps.yaml':
        'apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: a}\n',
    }
    expect((await detect(Object.keys(files), reading(files))).stacks).toMatchObject([
      { path: 'clusters/one', with: { exclude: ['flux-system/**'] } },
      { path: 'clusters/one/flux-system' },
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
