import { expect, it } from 'vitest'
import { CONFIG, DEPLOYMENT, SECRET, describeOnCluster } from '../../../../test/kube/describe-on-cluster.ts'
import { placesOf } from '../testing/stack.ts'

describeOnCluster('drift and what is ignored', (world) => {
  it('creates, is then in sync, finds drift where it is, and heals it', async () => {
    await world.open({ 'stack/all.yaml': [CONFIG('  a: "1"\n  b: "2"\n'), DEPLOYMENT, SECRET].join('\n---\n') })
    const first = await world.stack.deploy()
    expect(placesOf(first.planned)).toEqual([
      `ConfigMap/${world.namespace}/app (create)`,
      `Deployment/${world.namespace}/web (create)`,
      `Secret/${world.namespace}/app (create)`,
    ])
    expect(first.result).toMatchObject({ status: 'applied', findings: [] })
    expect(JSON.stringify(first)).not.toMatch(/correct-horse|Y29ycmVjdC1ob3JzZ/)
    const again = await world.stack.plan()
    expect(again.changes).toEqual([])
    expect(again.coverage).toEqual({ checked: 3, unchecked: [] })

    world.patch('configmap', 'app', { data: { a: 'tampered' } })
    world.patch('deployment', 'web', { spec: { replicas: 5 } })
    world.patch('secret', 'app', { data: { password: 'aGFja2Vk' } })
    const drift = await world.stack.plan({ kind: 'drift' })
    expect(placesOf(drift)).toEqual([
      `ConfigMap/${world.namespace}/app data.a`,
      `Deployment/${world.namespace}/web spec.replicas`,
      `Secret/${world.namespace}/app data.password`,
    ])
    expect(drift.changes.every(({ cause }) => cause === 'drift')).toBe(true)
    expect(drift.changes[1]).toMatchObject({ reason: 'set by "kubectl-patch"', attributes: [{ before: 5, after: 2 }] })
    for (const { attributes } of drift.changes) {
      expect(attributes[0]?.by).toEqual({ how: 'manager', who: 'kubectl-patch', at: expect.any(Number) })
      expect(Math.abs(Date.now() - attributes[0]!.by!.at!)).toBeLessThan(600_000)
    }
    expect(drift.findings.map(({ code }) => code)).toEqual(['field_conflict', 'field_conflict', 'field_conflict'])
    expect(JSON.stringify(drift)).not.toMatch(/correct-horse|Y29ycmVjdC1ob3JzZ|hacked|aGFja2Vk/)
    expect((await world.stack.deploy({ kind: 'heal' })).result.status).toBe('applied')
    expect((await world.stack.plan()).changes).toEqual([])
    expect(world.get('deployment', 'web').spec.replicas).toBe(2)
  })

  it('takes what others add inside of ours for drift, and nothing else of theirs', async () => {
    await world.open({
      'stack/all.yaml': [CONFIG('  a: "1"\n'), DEPLOYMENT.replace('  replicas: 2\n', '')].join('\n---\n'),
    })
    await world.stack.deploy()
    world.patch('configmap', 'app', { metadata: { labels: { theirs: 'yes' }, annotations: { note: 'x' } } })
    world.cluster.kubectl(['-n', world.namespace, 'scale', 'deployment', 'web', '--replicas=4'])
    world.cluster.kubectl(['-n', world.namespace, 'rollout', 'restart', 'deployment', 'web'])
    expect((await world.stack.plan()).changes).toEqual([])

    world.patch('configmap', 'app', { data: { extra: 'x' } })
    world.cluster.kubectl(['-n', world.namespace, 'set', 'env', 'deployment/web', 'FOREIGN=1'])
    const drift = await world.stack.plan()
    expect(placesOf(drift)).toEqual([
      `ConfigMap/${world.namespace}/app data.extra`,
      `Deployment/${world.namespace}/web spec.template.spec.containers[0].env[2]`,
    ])
    expect(drift.changes[0]).toMatchObject({
      attributes: [{ before: 'x', after: null }],
      reason: 'set by "kubectl-patch"',
    })
    expect((await world.stack.deploy()).result.status).toBe('applied')
    expect(world.get('configmap', 'app').data).toEqual({ a: '1' })
    const { spec } = world.get('deployment', 'web')
    expect(spec.template.spec.containers[0].env.map(({ name }: { name: string }) => name)).toEqual(['A', 'B'])
    expect(spec.replicas).toBe(4)
    expect(world.get('configmap', 'app').metadata.labels.theirs).toBe('yes')
  })

  it('leaves what is ignored to whoever has set it, in plans and in writes', async () => {
    const ignore = [
      { address: 'Deployment/*', attribute: 'spec.replicas' },
      { address: 'ConfigMap/*', attribute: 'data.b' },
      { address: 'ConfigMap/*', attribute: 'data.theirs' },
    ]
    await world.open({ 'stack/all.yaml': [CONFIG('  a: "1"\n  b: "2"\n'), DEPLOYMENT].join('\n---\n') })
    await world.stack.deploy()
    world.patch('deployment', 'web', { spec: { replicas: 7 } })
    world.patch('configmap', 'app', { data: { b: 'theirs', theirs: 'x' } })
    expect((await world.stack.plan({ ignore })).changes).toEqual([])
    await world.stack.write({
      'stack/all.yaml': [CONFIG('  a: "changed"\n  b: "2"\n'), DEPLOYMENT.replace('1.25', '1.26')].join('\n---\n'),
    })
    const { planned, result } = await world.stack.deploy({ ignore })
    expect(placesOf(planned)).toEqual([
      `ConfigMap/${world.namespace}/app data.a`,
      `Deployment/${world.namespace}/web spec.template.spec.containers[0].image`,
    ])
    expect(result.status).toBe('applied')
    expect(world.get('configmap', 'app').data).toEqual({ a: 'changed', b: 'theirs', theirs: 'x' })
    expect(world.get('deployment', 'web').spec.replicas).toBe(7)
  })

  it('keeps the live value of a field that was ours before it was ignored', async () => {
    await world.open({ 'stack/all.yaml': DEPLOYMENT })
    await world.stack.deploy()
    const ignore = [{ address: 'Deployment/*', attribute: 'spec.replicas' }]
    await world.stack.write({
      'stack/all.yaml': DEPLOYMENT.replace('replicas: 2', 'replicas: 9').replace('1.25', '1.26'),
    })
    expect((await world.stack.deploy({ ignore })).result.status).toBe('applied')
    expect(world.get('deployment', 'web').spec.replicas).toBe(2)
  })

  it('removes what it has set and does not want any more, and no more than that', async () => {
    await world.open({ 'stack/all.yaml': DEPLOYMENT })
    await world.stack.deploy()
    await world.stack.write({ 'stack/all.yaml': DEPLOYMENT.replace('            - {name: A, value: "1"}\n', '') })
    const { planned } = await world.stack.deploy()
    expect(placesOf(planned).length).toBeGreaterThan(0)
    expect(world.get('deployment', 'web').spec.template.spec.containers[0].env).toEqual([{ name: 'B', value: '2' }])
    expect((await world.stack.plan()).changes).toEqual([])
  })

  it('shows an element that was taken out of a list as one difference', async () => {
    await world.open({ 'stack/all.yaml': DEPLOYMENT })
    await world.stack.deploy()
    world.cluster.kubectl(['-n', world.namespace, 'set', 'env', 'deployment/web', 'A-'])
    // Servers differ in whether it comes back where it was or at the end.
    const places = placesOf(await world.stack.plan()).map((place) => place.replace(/^.*\.env\[[01]\]/, 'env'))
    expect(places).toEqual(['env.name', 'env.value'])
    expect((await world.stack.deploy()).result.status).toBe('applied')
    expect((await world.stack.plan()).changes).toEqual([])
  })

  it('takes over what kubectl has applied, and what Git does not have goes', async () => {
    const settings = CONFIG('  a: "1"\n  old: "x"\n')
    world.cluster.kubectl(['-n', world.namespace, 'apply', '-f', '-'], `${settings}\n---\n${DEPLOYMENT}`)
    await world.open({
      'stack/all.yaml': [CONFIG('  a: "1"\n'), DEPLOYMENT.replace('            - {name: A, value: "1"}\n', '')].join(
        '\n---\n',
      ),
    })
    const { planned } = await world.stack.deploy()
    expect(placesOf(planned)).toEqual([
      `ConfigMap/${world.namespace}/app data.old`,
      `ConfigMap/${world.namespace}/app metadata.annotations["trueup.dev/stack"]`,
      `Deployment/${world.namespace}/web metadata.annotations["trueup.dev/stack"]`,
      `Deployment/${world.namespace}/web spec.template.spec.containers[0].env[1].name`,
      `Deployment/${world.namespace}/web spec.template.spec.containers[0].env[1].value`,
    ])
    expect((await world.stack.plan()).changes).toEqual([])
    expect(world.get('configmap', 'app').data).toEqual({ a: '1' })
  })

  it('fills in inputs and variables, and hides the secret ones', async () => {
    const inputs = { port: { value: 8080, sensitive: false }, token: { value: 'very-secret-token', sensitive: true } }
    await world.open(
      {
        'stack/a.yaml': CONFIG(
          '  url: "http://host:${inputs.port}/$${inputs.port}"\n  token: "t=${inputs.token}"\n  word: ${variables.WORD}\n',
        ),
      },
      { inputs, env: { WORD: 'swordfish' } },
    )
    const { planned, result } = await world.stack.deploy()
    expect(result.status).toBe('applied')
    expect(world.get('configmap', 'app').data).toEqual({
      url: 'http://host:8080/${inputs.port}',
      token: 't=very-secret-token',
      word: 'swordfish',
    })
    expect(JSON.stringify([planned, result])).not.toMatch(/very-secret|swordfish/)
    await world.stack.write({ 'stack/a.yaml': CONFIG('  a: ${inputs.nowhere}\n') })
    await expect(world.stack.plan()).rejects.toMatchObject({
      code: 'SOURCE_INVALID',
      message: expect.stringContaining('stack/a.yaml:1:there is no input "nowhere"'),
    })
  })
})
