import { delimiter } from 'node:path'
import { expect, it } from 'vitest'
import { describeOnCluster } from '../../../../test/kube/describe-on-cluster.ts'
import { findTool, toolsDirectory } from '../../../../test/tools.ts'
import { placesOf } from '../testing/stack.ts'

const PATH = [process.env.PATH ?? '', toolsDirectory].join(delimiter)
const CHART = 'apiVersion: v2\nname: web\nversion: 1.0.0\n'
const SECRET =
  'apiVersion: v1\nkind: Secret\nmetadata: {name: web}\nstringData:\n  password: {{ .Values.password | default (randAlphaNum 20) | quote }}\n  user: {{ .Values.user }}\n'

describeOnCluster('charts on a cluster (helm)', (world) => {
  it.skipIf(findTool('helm') === null)('makes a random value once and keeps it', { timeout: 300_000 }, async () => {
    const name = `Secret/${world.namespace}/web`
    await world.open(
      { 'stack/Chart.yaml': CHART, 'stack/templates/a.yaml': SECRET, 'stack/values.yaml': 'user: a\n' },
      { env: { PATH } },
    )
    const first = await world.stack.plan()
    expect(first.findings).toMatchObject([
      { code: 'varying_render', message: expect.stringContaining('data.password') },
    ])
    expect((await world.stack.plan()).changes).toEqual(first.changes)
    expect((await world.stack.deploy()).result.status).toBe('applied')
    const made = world.get('secret', 'web').data
    expect(Buffer.from(made.password, 'base64').toString()).toMatch(/^\w{20}$/)
    expect((await world.stack.plan({ kind: 'drift' })).changes).toEqual([])
    await world.stack.write({ 'stack/values.yaml': 'user: b\n' })
    expect(placesOf((await world.stack.deploy()).planned)).toEqual([`${name} data.user`])
    expect(world.get('secret', 'web').data.password).toBe(made.password)
    await world.stack.write({ 'stack/values.yaml': 'user: b\npassword: given\n' })
    expect(placesOf((await world.stack.deploy()).planned)).toEqual([`${name} data.password`])
    await world.stack.write({
      'stack/templates/a.yaml': SECRET.replace('name: web', 'name: "{{ randAlphaNum 5 | lower }}"'),
    })
    await expect(world.stack.plan()).rejects.toMatchObject({
      message: expect.stringContaining('has another name with each rendering'),
    })
  })

  it.skipIf(findTool('helm') === null)('tells a chart what its cluster is', async () => {
    const template =
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata:\n  version: {{ .Capabilities.KubeVersion.Version }}\n  crd: {{ .Capabilities.APIVersions.Has "apiregistration.k8s.io/v1/APIService" | quote }}\n  other: {{ .Capabilities.APIVersions.Has "monitoring.coreos.com/v1" | quote }}\n'
    await world.open({ 'stack/Chart.yaml': CHART, 'stack/templates/a.yaml': template }, { env: { PATH } })
    const { planned } = await world.stack.deploy()
    const { version, ...has } = world.get('configmap', 'web').data
    expect(version).toBe(planned.toolVersions.kubernetes)
    expect(has).toEqual({ crd: 'true', other: 'false' })
  })
})
