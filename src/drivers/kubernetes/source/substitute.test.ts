import { expect, test } from 'vitest'
import type { KubeObject } from '../objects/object.ts'
import type { Manifest, Problem } from './manifests.ts'
import { substituted } from './substitute.ts'

const inputs = {
  replicas: { value: 3, sensitive: false },
  hosts: { value: ['10.0.0.1', '10.0.0.2'], sensitive: false },
}

function fill(object: object): { object: unknown; problems: Problem[] } {
  const problems: Problem[] = []
  const manifest = { path: 'a.yaml', line: 3, object: object as KubeObject } as Manifest
  const [filled] = substituted({ inputs, env: { TOKEN: 't' } }, [manifest], problems)
  return { object: filled!.object, problems }
}

test('a text that is one input becomes its value, a part of a text becomes text', () => {
  const spec = { replicas: '${inputs.replicas}', args: ['--peers=${inputs.hosts}', '$${inputs.replicas}'] }
  expect(fill({ kind: 'Thing', spec }).object).toEqual({
    kind: 'Thing',
    spec: { replicas: 3, args: ['--peers=["10.0.0.1","10.0.0.2"]', '${inputs.replicas}'] },
  })
})

test('where Kubernetes takes only text, values become text', () => {
  const metadata = { labels: { size: '${inputs.replicas}' }, annotations: { hosts: '${inputs.hosts}' } }
  expect(
    fill({ kind: 'ConfigMap', metadata, data: { hosts: '${inputs.hosts}', token: '${variables.TOKEN}' } }).object,
  ).toEqual({
    kind: 'ConfigMap',
    metadata: { labels: { size: '3' }, annotations: { hosts: '["10.0.0.1","10.0.0.2"]' } },
    data: { hosts: '["10.0.0.1","10.0.0.2"]', token: 't' },
  })
  const template = { metadata: { annotations: { size: '${inputs.replicas}' } } }
  expect(fill({ kind: 'Deployment', spec: { template } }).object).toEqual({
    kind: 'Deployment',
    spec: { template: { metadata: { annotations: { size: '3' } } } },
  })
})

test('a name that nothing gives is a problem with its place', () => {
  const { problems } = fill({ kind: 'ConfigMap', data: { a: '${inputs.nothing}' } })
  expect(problems).toMatchObject([{ path: 'a.yaml', line: 3, message: expect.stringContaining('no input "nothing"') }])
})
