import { describe, expect, it } from 'vitest'
import { type Problem, readManifests } from './manifests.ts'

const read = (text: string, path?: string) => {
  const problems: Problem[] = []
  return { objects: readManifests(text, path, problems).map(({ object }) => object), problems }
}
const CUSTOM = (spec: string): string => `apiVersion: example.org/v1\nkind: Seed\nmetadata: {name: a}\nspec: ${spec}\n`

describe('whole numbers beyond 2^53', () => {
  it.each([
    ['plain YAML', CUSTOM('{a: 9007199254740993}'), 'spec.a is 9007199254740993'],
    ['a negative one', CUSTOM('{a: -9223372036854775808}'), 'spec.a is -9223372036854775808'],
    ['in a list', CUSTOM('\n  a:\n    - 1\n    - 18446744073709551615'), 'spec.a[1] is 18446744073709551615'],
    [
      'JSON',
      '{"apiVersion":"example.org/v1","kind":"Seed","metadata":{"name":"a"},"spec":{"a":9007199254740993}}',
      'spec.a is 9007199254740993',
    ],
  ])('are told and not rounded: %s', (_what, text, message) => {
    const { objects, problems } = read(text, 'a.yaml')
    expect(objects).toEqual([])
    expect(problems).toMatchObject([{ path: 'a.yaml', message: expect.stringContaining(message) }])
  })

  it('leaves the largest exact number, texts and other large texts as they are', () => {
    const { objects, problems } = read(
      CUSTOM('{a: 9007199254740991, b: "9007199254740993", c: 1234567890123456.5, d: 0644}'),
      'a.yaml',
    )
    expect(problems).toEqual([])
    expect(objects).toMatchObject([
      { spec: { a: 9007199254740991, b: '9007199254740993', c: 1234567890123456.5, d: 0o644 } },
    ])
  })
})

describe('a key that is there twice', () => {
  const twice = CUSTOM('\n  "a": 1\n  b: 2\n  a: 3')

  it('is taken from a chart as Helm takes it, and named with its template', () => {
    const { objects, problems } = read(`---\n# Source: web/templates/seed.yaml\n${twice}`)
    expect(objects).toMatchObject([{ spec: { a: 3, b: 2 } }])
    expect(problems).toEqual([
      {
        message: 'web/templates/seed.yaml: the key a is there twice in one map; the last one counts',
        warning: 'repeated_key',
      },
    ])
  })

  it('is a mistake in a file that a person wrote', () => {
    expect(read(twice, 'seed.yaml')).toMatchObject({
      objects: [],
      problems: [{ path: 'seed.yaml', line: 7, message: 'the key a is there twice in one map' }],
    })
  })
})
