import { describe, expect, it } from 'vitest'
import { deployedAlready } from './claims.ts'

type Files = { [path: string]: string }
const FLUX = (path: string, more = ''): string =>
  `apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: a}\nspec: {path: ${path}${more}}\n`
const ARGO = (kind: string, spec: string): string =>
  `apiVersion: argoproj.io/v1alpha1\nkind: ${kind}\nmetadata: {name: shop}\nspec: ${spec}\n`

/** `directory: by file`, and what stands in the way of a stack that would do the same. */
async function claimed(files: Files): Promise<string[]> {
  const paths = Object.keys(files)
  const directories = paths.flatMap((path) => path.split('/').map((_, at, all) => all.slice(0, at).join('/')))
  const tree = {
    root: '/',
    files: paths,
    directories: [...new Set(directories)].filter((path) => path !== ''),
    read: async (path: string) => (files[path] === undefined ? null : Buffer.from(files[path])),
    list: async () => [],
    copy: async () => {},
    links: async () => new Map<string, string>(),
    matching: () => [],
  }
  return (await deployedAlready(tree)).map(
    ({ by, path, file, stack, why }) => `${path}: ${by} ${file}${stack === null ? ` (${why})` : ''}`,
  )
}

describe('what other tools deploy of a repository', () => {
  it('is what Kustomizations of Flux name, and moves where that is all they do', async () => {
    const files = {
      'clusters/one/flux-system/sync.yaml': FLUX('./clusters/one'),
      'clusters/one/apps.yaml': FLUX('./apps/one/', ', targetNamespace: shop'),
      'clusters/one/infra.yaml': FLUX('infra', ', prune: false'),
      'clusters/one/artifact.yaml': FLUX('elsewhere', ', sourceRef: {kind: OCIRepository, name: x}'),
      'clusters/one/missing.yaml': FLUX('not/there'),
      'apps/one/map.yaml': '',
      'elsewhere/map.yaml': '',
      'infra/map.yaml': '',
    }
    expect(await claimed(files)).toEqual([
      'clusters/one: Flux clusters/one/flux-system/sync.yaml (it holds 4 Kustomizations of Flux, each a claim of its own)',
      "apps/one: Flux clusters/one/apps.yaml (Flux's targetNamespace has no equal here)",
      'infra: Flux clusters/one/infra.yaml',
    ])
  })

  it('is what Applications name, each of their sources', async () => {
    const source = (path: string, more = ''): string => `{path: ${path}${more}}`
    const files = {
      'argo/plain.yaml': ARGO('Application', `{source: ${source('web')}, destination: {namespace: shop}}`),
      'argo/patched.yaml': ARGO('Application', `{source: ${source('patched', ', kustomize: {namePrefix: a-}')}}`),
      'argo/two.yaml': ARGO('Application', `{sources: [${source('one')}, {chart: x}]}`),
      'web/map.yaml': '',
      'patched/map.yaml': '',
      'one/map.yaml': '',
    }
    expect(await claimed(files)).toEqual([
      'web: Argo CD argo/plain.yaml',
      'patched: Argo CD argo/patched.yaml (the Application changes the kustomization: move that into an overlay)',
      'one: Argo CD argo/two.yaml (it is one of several sources of an Application)',
    ])
  })

  it('is what stands in values of a chart that makes them, in lists and in texts', async () => {
    const spec = (path: string): string => `{source: {path: ${path}}, destination: {namespace: shop}}`
    const set =
      "{generators: [{git: {directories: [{path: 'team/*'}]}}], template: {spec: {source: {path: '{{path}}'}}}}"
    const inText = ARGO('Application', spec('text')).replaceAll('\n', '\n      ')
    const files = {
      'apps/values.yaml': `applications:\n  web: ${spec('web')}\napplicationsets:\n  teams: ${set}\n`,
      'apps/old.yaml': `argocd-apps:\n  applications:\n    - name: db\n      ${spec('db').slice(1, -1).replace(', dest', '\n      dest')}\n`,
      'apps/extra.yaml': `extraObjects:\n  - |\n      ${inText}\n`,
      'apps/list.yaml': `apiVersion: v1\nkind: List\nitems: [{apiVersion: argoproj.io/v1alpha1, kind: Application, spec: ${spec('listed')}}]\n`,
      'chart/values.yaml': 'applications:\n  web: {source: web}\n',
      'web/map.yaml': '',
      'db/map.yaml': '',
      'team/a/map.yaml': '',
      'text/map.yaml': '',
      'listed/map.yaml': '',
    }
    const why = 'an ApplicationSet makes its Applications: one entry with a pattern can stand for them'
    expect((await claimed(files)).toSorted()).toEqual([
      'db: Argo CD apps/old.yaml',
      'listed: Argo CD apps/list.yaml',
      `team/a: Argo CD apps/values.yaml (${why})`,
      'text: Argo CD apps/extra.yaml',
      'web: Argo CD apps/values.yaml',
    ])
  })

  it('is what an ApplicationSet may name', async () => {
    const template = (path: string): string => `template: {spec: {source: {path: '${path}'}}}`
    const git = '{matrix: {generators: [{git: {directories: [{path: apps/*}, {path: apps/x, exclude: true}]}}]}}'
    const files = {
      'sets/git.yaml': ARGO('ApplicationSet', `{generators: [${git}], ${template('{{path}}')}}`),
      'sets/list.yaml': ARGO('ApplicationSet', `{generators: [], ${template('live/{{ .env }}/web')}}`),
      'apps/b/map.yaml': '',
      'apps/x/map.yaml': '',
      'live/one/web/map.yaml': '',
      'live/one/db/map.yaml': '',
    }
    expect((await claimed(files)).map((line) => line.split(':')[0])).toEqual(['apps/b', 'live/one/web'])
  })

  it('does not stumble over what is broken, templated or huge', async () => {
    const files = {
      'a.yaml': 'apiVersion: argoproj.io/v1alpha1\nkind: {{ broken\n',
      'b.yaml': 'kustomize.toolkit.fluxcd.io\n',
      'c.yaml': ARGO('Application', '[]'),
      'd.yaml': ARGO('ApplicationSet', '{generators: x}'),
      'e.yaml': FLUX('[1]'),
    }
    expect(await claimed(files)).toEqual(['.: Flux e.yaml'])
  })
})
