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

    it('shows warnings as findings', async () => {
      await open({
        'stack/kustomization.yaml': 'resources: [map.yaml]\ncommonLabels: {a: b}\n',
        'stack/map.yaml': MAP,
      })
      const findings = await kubernetesDriver.validate(context)
      const { name: program, version } = await findKustomize(context)
      // The warnings came with Kustomize 5; kubectl has it since 1.27.
      const warns = program === 'kustomize' || Number(version.split('.')[1]) >= 27
      const codes = findings.map(({ severity, code }) => `${severity} ${code}`)
      expect(codes).toEqual(warns ? ['warning kustomize_warning'] : [])
    })
  })
}
