import { describe, expect, it } from 'vitest'
import { asJson, type KubeObject } from '../objects/object.ts'
import { type Problem, readManifests } from './manifests.ts'
import { normalised } from './normal.ts'

function read(text: string): { objects: KubeObject[]; problems: Problem[] } {
  const problems: Problem[] = []
  const objects = readManifests(text, 'stack/a.yaml', problems).map(({ object }) => object)
  return { objects, problems }
}
const map = (rest: string): string => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n${rest}`

describe('reading manifests', () => {
  it('reads YAML as Kubernetes does: octal modes, yes, but no times and no base sixty', () => {
    const { objects, problems } = read(map('a: 0644\nb: yes\nc: 2026-01-02\nd: 1:30\ne: "x"\nf: 1e3\n'))
    expect(problems).toEqual([])
    expect(objects[0]).toMatchObject({ a: 420, b: true, c: '2026-01-02', d: '1:30', e: 'x', f: 1000 })
  })

  it('unpacks lists, merges anchors, and skips empty documents', () => {
    const list =
      'apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: A, metadata: {name: a}}\n- {apiVersion: v1, kind: B, metadata: {name: b}}\n'
    const anchors = map('one: &x {a: 1}\ntwo: {<<: *x, b: 2}\n')
    const { objects } = read(`---\n# nothing\n---\n${list}---\n${anchors}`)
    expect(objects.map(({ kind }) => kind)).toEqual(['A', 'B', 'ConfigMap'])
    expect(objects[2]?.two).toEqual({ a: 1, b: 2 })
  })

  it.each([
    ['foo: bar\n', 1, /no Kubernetes object/],
    [`${map('')}---\nfoo: [\n`, 6, /no valid YAML/],
    ['apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n', 1, /metadata.name is missing/],
    [map('').replace('name: a', 'name: a, labels: {x: 1}'), 1, /metadata.labels.x is a number and has to be a text/],
    [map('').replace('name: a', 'name: ../../nodes/x'), 1, /is no name of an object/],
    [map('').replace('name: a', 'generateName: a-'), 1, /give it a name/],
  ])('says where and why: %j', (text, line, message) => {
    expect(read(text).problems).toEqual([{ path: 'stack/a.yaml', line, message: expect.stringMatching(message) }])
  })

  it('gives a hook a name of its content', () => {
    const hook = (data: string): string =>
      map(`data: {a: ${data}}\n`).replace(
        'name: a',
        'generateName: a-, annotations: {argocd.argoproj.io/hook: PreSync}',
      )
    const names = [hook('x'), hook('x'), hook('y')].map((text) => read(text).objects[0]?.metadata.name)
    expect(names[0]).toMatch(/^a-[0-9a-f]{8}$/)
    expect(names[1]).toBe(names[0])
    expect(names[2]).not.toBe(names[0])
  })
})

describe('objects as they are applied', () => {
  const apply = (text: string): KubeObject => normalised(read(text).objects[0] as KubeObject)

  it('lack what only the server writes', () => {
    const object = apply(map('status: {x: 1}\n').replace('name: a', 'name: a, creationTimestamp: null, uid: x'))
    expect(asJson(object)).toEqual({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } })
  })

  it('have the data of a Secret in one place', () => {
    const secret = apply('apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: {a: "eA=="}\nstringData: {b: z}\n')
    expect(asJson(secret)).toMatchObject({ data: { a: 'eA==', b: 'eg==' } })
    expect(secret.stringData).toBeUndefined()
  })

  it('name the protocol of each port', () => {
    const service = apply(
      'apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: [{port: 1}, {port: 2, protocol: UDP}]}\n',
    )
    expect(service.spec).toEqual({
      ports: [
        { port: 1, protocol: 'TCP' },
        { port: 2, protocol: 'UDP' },
      ],
    })
    const pod = apply(
      'apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a, ports: [{containerPort: 1}]}]}\n',
    )
    expect(pod.spec).toEqual({ containers: [{ name: 'a', ports: [{ containerPort: 1, protocol: 'TCP' }] }] })
  })
})
