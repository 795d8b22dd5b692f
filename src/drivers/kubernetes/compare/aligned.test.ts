import { describe, expect, it } from 'vitest'
import type { Json } from '../../../lib/json.ts'
import { attributeChanges } from '../../values/attributes.ts'
import { aligned } from './aligned.ts'

function places(before: Json, after: Json): string[] {
  const [old, now] = aligned(before, after)
  return attributeChanges({ before: old, after: now }, (value) => ({ value, sensitive: false })).map(({ path }) => path)
}
const env = (...names: string[]): Json => ({ env: names.map((name) => ({ name, value: name })) })

describe('lists with keys', () => {
  it('differ only where an element was taken out, put in or changed', () => {
    expect(places(env('a', 'c'), env('a', 'b', 'c'))).toEqual(['env[1].name', 'env[1].value'])
    expect(places(env('a', 'b', 'c'), env('a', 'c'))).toEqual(['env[2].name', 'env[2].value'])
    const ports = (port: number): Json => ({ ports: [{ containerPort: 1 }, { containerPort: port, protocol: 'UDP' }] })
    expect(places(ports(2), ports(2))).toEqual([])
    expect(places(ports(2), ports(3)).every((path) => path.startsWith('ports[1]') || path.startsWith('ports[2]'))).toBe(
      true,
    )
  })

  it('differ by their order too', () => {
    expect(places(env('a', 'b'), env('b', 'a')).length).toBeGreaterThan(0)
  })

  it('are left alone without keys, or with keys that repeat', () => {
    expect(places({ a: [1, 2, 3] }, { a: [2, 3] })).toEqual(['a[0]', 'a[1]', 'a[2]'])
    expect(places(env('a', 'a'), env('a', 'b'))).toEqual(['env[1].name', 'env[1].value'])
  })
})
