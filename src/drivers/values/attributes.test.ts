import { describe, expect, it } from 'vitest'
import { attributeChanges, type Redact, type ValueChange } from './attributes.ts'

const redact: Redact = (value, sensitive) => ({ value: sensitive ? 'hashed' : value, sensitive })
const changes = (change: ValueChange) => attributeChanges(change, redact)

describe('attributes of a change', () => {
  it('names only the leaves that differ', () => {
    expect(
      changes({
        before: { name: 'a', tags: { team: 'x', 'a.b/c': '1' }, ports: [{ port: 80 }, { port: 81 }] },
        after: { name: 'a', tags: { team: 'y' }, ports: [{ port: 80 }, { port: 82 }, { port: 83 }] },
      }),
    ).toEqual([
      { path: 'ports[1].port', before: 81, after: 82 },
      { path: 'ports[2].port', after: 83 },
      { path: 'tags["a.b/c"]', before: '1', after: null },
      { path: 'tags.team', before: 'x', after: 'y' },
    ])
  })

  it('knows a key that objects have by nature', () => {
    expect(changes({ before: { constructor: 'x' }, after: {} })).toEqual([
      { path: 'constructor', before: 'x', after: null },
    ])
    expect(changes({ before: {}, after: { toString: 'x' } })).toEqual([{ path: 'toString', after: 'x' }])
  })

  it('takes null for absent, but not an empty list', () => {
    expect(changes({ before: { a: null }, after: {} })).toEqual([])
    expect(changes({ before: { a: null, b: [] }, after: { a: [], b: [] } })).toEqual([{ path: 'a', after: [] }])
  })

  it('marks what is known only after apply', () => {
    expect(changes({ before: { id: 'x', n: 1 }, after: { n: 1 }, unknown: { id: true } })).toEqual([
      { path: 'id', before: 'x', unknown: true },
    ])
    expect(changes({ before: null, after: { l: [null] }, unknown: { l: [true] } })).toEqual([
      { path: 'l[0]', unknown: true },
    ])
  })

  it('hides both sides where either is sensitive, as one attribute', () => {
    expect(
      changes({ before: { s: { deep: 'old' } }, after: { s: { deep: 'new' } }, afterSensitive: { s: true } }),
    ).toEqual([{ path: 's', before: 'hashed', after: 'hashed', sensitive: true }])
    expect(changes({ before: { s: 'same' }, after: { s: 'same' }, afterSensitive: { s: true } })).toEqual([])
  })

  it('takes a change of kind as one attribute', () => {
    expect(changes({ before: { v: 'text' }, after: { v: { a: 1 } } })).toEqual([
      { path: 'v', before: 'text', after: { a: 1 } },
    ])
  })
})
