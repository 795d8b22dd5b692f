import { mkdir, symlink } from 'node:fs/promises'
import { delimiter, dirname, join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { describeWithTool, type FoundTool } from '../../../../test/tools.ts'
import { type TestContext, testContext } from '../../testing/context.ts'
import { KubernetesConfig } from '../config.ts'
import { kubernetesDriver } from '../index.ts'
import { findKustomize } from './kustomize.ts'
import { render } from './render.ts'

const MAP = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: app}\ndata: {a: b}\n'

for (const name of ['kustomize', 'kubectl'] as const) {
  describeWithTool(name, 'Kustomize by itself and inside of kubectl', (tool: FoundTool) => {
    let context: TestContext<KubernetesConfig>
    afterEach(() => context.remove())

    /** A PATH on which this program is the only one that renders. */
    async function open(files: { [path: string]: string }): Promise<typeof context> {
      context = await testContext({ config: KubernetesConfig.parse({}), files })
      const bin = join(context.root, 'bin')
      await mkdir(bin)
      await symlink(tool.path, join(bin, name))
      context.env.PATH = [bin, dirname(process.execPath), '/usr/bin', '/bin'].join(delimiter)
      return context
    }

    /** Warnings, and the reasons behind a base, came with Kustomize 5, which kubectl has since 1.27. */
    async function isOld(): Promise<boolean> {
      const { name: program, version } = await findKustomize(context)
      return program === 'kubectl' && Number(version.split('.')[1]) < 27
    }

    it('renders, and says which version did', async () => {
      await open({ 'stack/kustomization.yaml': 'resources: [map.yaml]\nnamePrefix: a-\n', 'stack/map.yaml': MAP })
      // A `kustomize` of /usr/bin would be preferred: then it is what is to be found.
      const found = await findKustomize(context)
      expect(found.version).toMatch(/^(\d+\.\d+\.\d+|\(devel\))/)
      const { manifests, problems, renderer } = await render(context)
      expect(problems).toEqual([])
      expect(manifests.map(({ object }) => object.metadata.name)).toEqual(['a-app'])
      expect(renderer).toBe(`${found.name} ${found.version}`)
    })

    it('tells what is wrong before what is merely old', async () => {
      await open({ 'stack/kustomization.yaml': 'bases: [../base]\ncommonLabels: {a: b}\nresources: [missing.yaml]\n' })
      const [finding] = await kubernetesDriver.validate(context)
      expect(finding).toMatchObject({ severity: 'error' })
      expect(finding?.message).not.toContain('# Warning')
      expect(finding?.message).toMatch(/base|missing\.yaml/)
    })

    it('tells of a chain of bases only what is wrong at its end', async () => {
      await open({
        'stack/kustomization.yaml': 'resources: [../base]\n',
        'base/kustomization.yaml': 'resources: [../deep]\n',
        'deep/kustomization.yaml': 'resources: [map.yaml, missing.yaml]\n',
        'deep/map.yaml': MAP,
      })
      const [finding] = await kubernetesDriver.validate(context)
      expect(finding?.message).toMatch(
        (await isOld()) ? /base|missing/ : /^deep: missing\.yaml: there is no such file or directory$/,
      )
    })

    it('names a base of the network that cannot be fetched', async () => {
      const base = 'http://127.0.0.1:1/base.yaml'
      await open({
        'stack/kustomization.yaml': 'resources: [../base]\n',
        'base/kustomization.yaml': `resources: ["${base}"]\n`,
      })
      const [finding] = await kubernetesDriver.validate(context)
      const told = new RegExp(`^base: ${base} cannot be fetched: .*(connect|refused)`, 'i')
      expect(finding?.message).toMatch((await isOld()) ? /base/ : told)
    })

    it('shows warnings as findings', async () => {
      await open({
        'stack/kustomization.yaml': 'resources: [map.yaml]\ncommonLabels: {a: b}\n',
        'stack/map.yaml': MAP,
      })
      const findings = await kubernetesDriver.validate(context)
      const codes = findings.map(({ severity, code }) => `${severity} ${code}`)
      expect(codes).toEqual((await isOld()) ? [] : ['warning kustomize_warning'])
    })
  })
}
