import { describe, expect, it } from 'vitest'
import { type Change, comparePlans, transitionsOf } from '../../web/src/ui/plan-change.ts'

const change = (address: string, before: unknown, after: unknown, extra: Partial<Change> = {}): Change => ({
  address,
  type: 'file',
  actions: ['update'],
  attributes: [{ path: 'content', before, after }],
  cause: 'config',
  ...extra,
})
const plan = (changes: Change[], unchecked: string[] = []) => ({
  changes,
  coverage: { checked: changes.length, unchecked: unchecked.map((address) => ({ address, why: 'away' })) },
})

describe('a plan against another', () => {
  it('is the same with the same changes in another order', () => {
    const [a, b] = [change('a', 1, 2), change('b', 1, 2)]
    expect(comparePlans(plan([a, b]), plan([b, a]))).toMatchObject({ more: [], less: [], other: [], same: 2 })
  })

  it('tells what came, what went, and what is otherwise', () => {
    const found = comparePlans(
      plan([change('kept', 1, 2), change('gone', 1, 2), change('other', 1, 2)]),
      plan([change('kept', 1, 2), change('other', 1, 3), change('come', 1, 2)]),
    )
    expect(found.more.map(({ address }) => address)).toEqual(['come'])
    expect(found.less.map(({ address }) => address)).toEqual(['gone'])
    expect(found.other.map(({ after }) => after.address)).toEqual(['other'])
    expect(found.same).toBe(1)
  })

  it('takes an update that became a replacement, and a value that became unknown, for another change', () => {
    const replaced = change('a', 1, 2, { actions: ['replace'] })
    expect(comparePlans(plan([change('a', 1, 2)]), plan([replaced])).other).toHaveLength(1)
    const unknown = change('a', 1, 2, { attributes: [{ path: 'content', before: 1, after: 2, unknown: true }] })
    expect(comparePlans(plan([change('a', 1, 2)]), plan([unknown])).other).toHaveLength(1)
  })

  it('tells what is not looked at any more', () => {
    const { unchecked } = comparePlans(plan([], ['a', 'b']), plan([], ['b', 'c']))
    expect(unchecked).toEqual({ more: ['c'], less: ['a'] })
  })
})

describe('one diff over many stacks', () => {
  const over = (plans: { [stack: string]: Change[] }) =>
    transitionsOf(Object.entries(plans).map(([stack, changes]) => ({ stack, plan: { changes } })))

  it('groups equal transitions, those in most places first, whatever the order of their attributes', () => {
    const attributes = [
      { path: 'a', before: 1, after: 2 },
      { path: 'b', before: 3, after: 4 },
    ]
    const found = over({
      one: [change('alone', 7, 8), change('x', 0, 0, { attributes })],
      two: [change('y', 0, 0, { attributes: attributes.toReversed() })],
    })
    expect(found.map(({ places }) => places.map(({ stack, address }) => `${stack} ${address}`))).toEqual([
      ['one x', 'two y'],
      ['one alone'],
    ])
  })

  it('keeps apart what differs in value, in kind of thing, or in what is done', () => {
    const found = over({
      one: [change('a', 1, 2), change('b', 1, '2'), change('c', 1, 2, { type: 'user' })],
      two: [change('a', 1, 2, { actions: ['delete', 'create'] })],
    })
    expect(found).toHaveLength(4)
  })
})
