import { expect, it } from 'vitest'
import { CONFIG, describeOnCluster } from '../../../../test/kube/describe-on-cluster.ts'
import { placesOf } from '../testing/stack.ts'

const THING = (name: string): string =>
  `apiVersion: example.org/v1\nkind: Thing\nmetadata: {name: ${name}}\nspec: {size: 1}\n`

describeOnCluster('what a needed stack brings that is not deployed yet', (world) => {
  const awaits = ['production/ns']

  it('is told once for a namespace, and its objects are planned', async () => {
    const at = (name: string): string => CONFIG('  a: "1"\n').replace('name: app', `name: ${name}, namespace: later`)
    await world.open({ 'stack/a.yaml': [at('a'), at('b'), CONFIG('  a: "1"\n')].join('\n---\n') })
    const { changes, coverage } = await world.stack.plan({ kind: 'preview', awaits })
    expect(placesOf({ changes }).filter((place) => place.startsWith('ConfigMap/later'))).toHaveLength(2)
    expect(coverage).toEqual({
      checked: 1,
      unchecked: [
        {
          address: 'Namespace/later',
          why: 'it is not there: 2 objects in it not checked until production/ns is deployed',
          count: 2,
        },
      ],
    })
    await expect(world.stack.plan({ kind: 'preview' })).rejects.toMatchObject({ code: 'SOURCE_INVALID' })
  })

  it('is told once for a kind', async () => {
    await world.open({ 'stack/a.yaml': [THING('one'), THING('two'), CONFIG('  a: "1"\n')].join('\n---\n') })
    const { changes, coverage } = await world.stack.plan({ kind: 'preview', awaits })
    expect(changes.map(({ type }) => type)).toEqual(['ConfigMap'])
    expect(coverage.checked).toBe(1)
    expect(coverage.unchecked).toEqual([
      {
        address: 'Thing (example.org/v1)',
        why: 'the cluster does not know this kind: 2 objects not checked until production/ns is deployed',
        count: 2,
      },
    ])
  })
})

describeOnCluster('objects whose namespace is not there', (world) => {
  const source = [
    `apiVersion: v1\nkind: Namespace\nmetadata: {name: brought}\n`,
    CONFIG('  a: "1"\n').replace('name: app', 'name: app, namespace: brought'),
  ].join('\n---\n')

  it('do not count as checked, and do once it is there', async () => {
    await world.open({ 'stack/a.yaml': source })
    const { coverage } = await world.stack.plan({ kind: 'preview' })
    expect(coverage.checked).toBe(1)
    expect(coverage.unchecked.map(({ address }) => address)).toEqual(['ConfigMap/brought/app'])
    world.cluster.kubectl(['create', 'namespace', 'brought'])
    expect((await world.stack.plan({ kind: 'preview' })).coverage).toEqual({ checked: 2, unchecked: [] })
  })
})

describeOnCluster('an object that an apply failed to make', (world) => {
  it('was not deleted outside', async () => {
    const refused = 'apiVersion: v1\nkind: Service\nmetadata: {name: bad}\nspec: {ports: [{port: 99999999}]}\n'
    await world.open({ 'stack/all.yaml': [CONFIG('  a: "1"\n'), refused].join('\n---\n') })
    const { result } = await world.stack.deploy({ kind: 'deploy' })
    expect(result.status).toBe('failed')
    await world.stack.write({
      'stack/all.yaml': [CONFIG('  a: "1"\n'), refused.replace('99999999', '80')].join('\n---\n'),
    })
    const { changes } = await world.stack.plan({ kind: 'preview' })
    expect(changes.find(({ address }) => address.startsWith('Service/'))).toMatchObject({ actions: ['create'] })
    expect(changes.map(({ reason }) => reason)).not.toContain('deleted outside')
  })
})
