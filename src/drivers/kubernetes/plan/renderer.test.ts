import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { delimiter, dirname, join } from 'node:path'
import { expect, it } from 'vitest'
import { describeOnCluster } from '../../../../test/kube/describe-on-cluster.ts'
import { findNewTool, findTool, requireTool } from '../../../../test/tools.ts'
import { KubernetesConfig } from '../config.ts'
import { placesOf } from '../testing/stack.ts'

const MAP = (name: string): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\ndata: {greeting: {{ .Values.greeting }}}\n`

describeOnCluster('another version of what renders', (world) => {
  /** The real Helm, that calls itself another version, makes other names and another order of what it writes. */
  async function withOtherHelm(version: string): Promise<{ [name: string]: string }> {
    const { env, root } = world.stack.context
    const bin = join(root, version)
    const real = requireTool('helm').path
    await mkdir(bin)
    const script = `#!/bin/sh\ncase $1 in version) echo v${version}+g0;; *) "${real}" "$@" | sed 's/name: one/name: two/; s/hello/hello there/';; esac\n`
    await writeFile(join(bin, 'helm'), script)
    await chmod(join(bin, 'helm'), 0o755)
    return { ...env, PATH: [bin, env.PATH].join(delimiter) }
  }

  it('is told, and heals nothing by itself', async () => {
    await world.open({
      'stack/Chart.yaml': 'apiVersion: v2\nname: app\nversion: 1.0.0\n',
      'stack/values.yaml': 'greeting: hello\n',
      'stack/templates/one.yaml': MAP('one'),
      'stack/templates/same.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: same}\ndata: {a: b}\n',
    })
    const { PATH = '' } = world.stack.context.env
    const env = { ...world.stack.context.env, PATH: [PATH, join(requireTool('helm').path, '..')].join(delimiter) }
    world.stack.context.env = env
    expect((await world.stack.deploy({ env })).result.status).toBe('applied')
    const other = await withOtherHelm('4.2.4')

    const drift = await world.stack.plan({ env: other, kind: 'drift' })
    expect(drift.changes).toEqual([])
    expect(drift.findings).toMatchObject([
      {
        code: 'other_renderer',
        message: expect.stringMatching(/^rendered by helm 4\.2\.4, deployed with helm 3\..*null/),
      },
    ])
    expect(drift.coverage.unchecked).toMatchObject([
      { address: `ConfigMap/${world.namespace}/two`, why: expect.stringContaining('deployed with helm 3.') },
    ])
    world.patch('configmap', 'same', { data: { a: 'by hand' } })
    const healed = await world.stack.deploy({ env: other, kind: 'heal' })
    expect(placesOf(healed.planned)).toEqual([`ConfigMap/${world.namespace}/same data.a`])
    expect((await world.stack.plan({ env, kind: 'drift' })).changes).toEqual([])
    expect((await world.stack.plan({ env })).findings).toEqual([])

    const merged = await world.stack.deploy({ env: other })
    expect(placesOf(merged.planned)).toEqual([
      `ConfigMap/${world.namespace}/one (delete)`,
      `ConfigMap/${world.namespace}/two (create)`,
    ])
    expect((await world.stack.plan({ env: other, kind: 'drift' })).findings).toEqual([])
  })

  const old = findTool('helm')
  const four = findNewTool('helm', '4.0.0')
  const missing = four === null ? 'skipped: no helm 4, "npm run tools -- --newest" makes one' : 'helm 3 and 4'
  it.skipIf(four === null || old?.version.startsWith('3.') !== true)(
    `a null in the chart's own values means something else to Helm 4: the first plan shows it and says why (${missing})`,
    async () => {
      await world.open({
        'stack/Chart.yaml': 'apiVersion: v2\nname: app\nversion: 1.0.0\n',
        'stack/values.yaml': 'sub: {greeting: null}\n',
        'stack/charts/sub/Chart.yaml': 'apiVersion: v2\nname: sub\nversion: 1.0.0\n',
        'stack/charts/sub/values.yaml': 'greeting: hello\n',
        'stack/charts/sub/templates/map.yaml': MAP('one').replace(
          '.Values.greeting',
          '.Values.greeting | default "none"',
        ),
      })
      const { env } = world.stack.context
      const using = (tool: { path: string }) => ({
        env: { ...env, PATH: [dirname(tool.path), env.PATH].join(delimiter) },
      })
      expect((await world.stack.deploy(using(old!))).result.status).toBe('applied')
      expect(world.get('configmap', 'one').data).toEqual({ greeting: 'none' })
      expect((await world.stack.plan({ ...using(four!), kind: 'drift' })).changes).toEqual([])
      const plan = await world.stack.plan(using(four!))
      expect(placesOf(plan)).toEqual([`ConfigMap/${world.namespace}/one data.greeting`])
      expect(plan.findings).toMatchObject([
        {
          severity: 'warning',
          code: 'other_renderer',
          message: expect.stringMatching(
            /^rendered by helm 4\..*, deployed with helm 3\..*: a null in the values\.yaml/,
          ),
        },
      ])
      await world.stack.write({ 'stack/values.yaml': 'sub: {}\n' })
      const config = KubernetesConfig.parse({
        ...world.stack.context.config,
        helm: { values: { sub: { greeting: null } } },
      })
      expect(placesOf(await world.stack.plan({ ...using(four!), config }))).toEqual([])
    },
  )
})
