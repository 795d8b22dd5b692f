import { readdir, readFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { coerce, gte } from 'semver'
import { parse } from 'yaml'
import { STARTING_MS, startCluster, type TestCluster } from '../../../test/kube/cluster.ts'
import { describeWithTool, findTool, toolsDirectory } from '../../../test/tools.ts'
import { TrueupConfig } from '../../domain/config/schema.ts'
import { kubernetesDriver } from './index.ts'
import { openStack, placesOf, type TestStack } from './testing/stack.ts'

const PATH = [process.env.PATH ?? '', toolsDirectory].join(delimiter)

async function exampleFiles(name: string): Promise<{ [path: string]: string }> {
  const root = join(import.meta.dirname, '../../../examples', name)
  const entries = await readdir(root, { recursive: true, withFileTypes: true })
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
  return Object.fromEntries(
    await Promise.all(paths.map(async (path) => [path, await readFile(join(root, path), 'utf8')])),
  )
}

/** The Kustomize inside of kubectl before 1.21 is of 2019 and knows no directories among its resources. */
const hasKustomize = findTool('kustomize') !== null || gte(coerce(findTool('kubectl')?.version) ?? '0.0.0', '1.21.0')

describeWithTool('kube-apiserver', 'the examples', () => {
  let cluster: TestCluster
  let stacks: TestStack[] = []
  beforeAll(async () => {
    cluster = await startCluster()
  }, STARTING_MS)
  afterAll(() => cluster?.stop())
  afterEach(async () => {
    for (const stack of stacks) await stack.remove()
    stacks = []
  })

  async function open(files: { [path: string]: string }, path: string, environment: string): Promise<TestStack> {
    const { stacks: all } = TrueupConfig.parse(parse(files['trueup.yaml'] ?? ''))
    const found = all.find((one) => one.path.replace('{environment}', environment) === path)
    const stack = await openStack({
      kubeconfig: cluster.kubeconfig,
      files,
      path,
      name: found?.name ?? path,
      environment,
      with: { ...found?.with },
      env: { PATH },
    })
    stacks.push(stack)
    return stack
  }

  const overlays = 'kubernetes: plain YAML and overlays, detected, valid, deployed, tampered with, healed'
  it.skipIf(!hasKustomize)(`${overlays} (kustomize, or kubectl 1.21)`, async () => {
    const files = await exampleFiles('kubernetes')
    const platform = await open(files, 'platform', 'production')
    const { context } = platform
    expect((await kubernetesDriver.detect(Object.keys(files), context.read)).stacks).toMatchObject([
      { path: 'platform' },
      { path: 'shop/overlays/production' },
      { path: 'shop/overlays/staging' },
    ])
    expect(await kubernetesDriver.validate(context)).toEqual([])
    expect((await platform.deploy()).result.status).toBe('applied')

    const shop = await open(files, 'shop/overlays/production', 'production')
    expect(await kubernetesDriver.validate(shop.context)).toEqual([])
    const { read, list, config } = shop.context
    const needs = await kubernetesDriver.dependencies(read, list, 'shop/overlays/production', config)
    expect(needs).toEqual(['shop/base'])
    const ignore = [{ address: 'Deployment/shop/*', attribute: 'spec.replicas' }]
    const first = await shop.deploy({ ignore })
    expect(placesOf(first.planned)).toEqual([
      expect.stringMatching(/^ConfigMap\/shop\/shop-\w+ \(create\)$/),
      'Deployment/shop/shop (create)',
      'Service/shop/shop (create)',
    ])
    expect(first.planned.toolVersions).toMatchObject({ kubernetes: expect.stringMatching(/^v1\.\d+\./) })
    expect((await shop.plan({ ignore })).changes).toEqual([])
    cluster.kubectl(['-n', 'shop', 'scale', 'deployment', 'shop', '--replicas=9'])
    cluster.kubectl(['-n', 'shop', 'set', 'image', 'deployment/shop', 'shop=evil:1'])
    const heal = await shop.deploy({ ignore, kind: 'heal' })
    expect(placesOf(heal.planned)).toEqual(['Deployment/shop/shop spec.template.spec.containers[0].image'])
    const live = JSON.parse(cluster.kubectl(['-n', 'shop', 'get', 'deployment', 'shop', '-o', 'json']))
    expect(live.spec).toMatchObject({ replicas: 9, template: { spec: { containers: [{ image: 'nginx:1.27.3' }] } } })
  })

  it.skipIf(findTool('helm') === null)(
    '(helm) a chart with a definition, a hook and values, until its second plan is empty',
    async () => {
      const files = await exampleFiles('helm')
      const web = await open(files, 'chart', 'production')
      const { context } = web
      expect((await kubernetesDriver.detect(Object.keys(files), context.read)).stacks).toMatchObject([
        { path: 'chart' },
      ])
      expect(await kubernetesDriver.dependencies(context.read, context.list, 'chart', context.config)).toEqual([
        'values',
      ])
      expect(await kubernetesDriver.versions(context)).toMatchObject({ helm: expect.stringMatching(/^\d+\./) })
      expect(await kubernetesDriver.validate(context)).toEqual([])
      const { planned, result } = await web.deploy()
      expect(placesOf(planned)).toEqual([
        'ConfigMap/web/web (create)',
        'ConfigMap/web/web-before (create)',
        'CustomResourceDefinition/pages.example.org (create)',
        'Deployment/web/web (create)',
        'Namespace/web (create)',
        'Page.example.org/web/web (create)',
      ])
      // The namespace is of this very chart, and the kind as well.
      expect(planned.coverage.unchecked.map(({ address }) => address)).toEqual([
        'ConfigMap/web/web',
        'Deployment/web/web',
        'Page.example.org/web/web',
      ])
      expect(result).toMatchObject({ status: 'applied' })
      expect((await web.plan()).changes).toEqual([])
      const live = JSON.parse(cluster.kubectl(['-n', 'web', 'get', 'deployment', 'web', '-o', 'json']))
      expect(live.spec).toMatchObject({ replicas: 3, template: { spec: { containers: [{ image: 'nginx:1.27' }] } } })
      const healthConfig = { ...context.config, wait: true, waitTimeout: '1s' }
      const health = await kubernetesDriver.health!(await web.next({ config: healthConfig }))
      expect(health.lines.join('\n')).toContain(
        'Page.example.org/web/web: not yet true: object.status.phase == "Published"',
      )
    },
  )
})
