import { describe, expect, it } from 'vitest'
import { change, plan } from './fixtures.ts'
import { destroysOf, isEmpty, summaryText } from './summary.ts'

const of = (...actions: ('create' | 'update' | 'delete' | 'replace' | 'read' | 'import')[][]) =>
  plan(actions.map((list, index) => change(`x${index}`, [], { actions: list })))

describe('the summary of a plan', () => {
  it('counts each change once, by what costs most', () => {
    expect(of(['import', 'update'], ['read'], ['delete'], ['replace'], ['create']).summary).toEqual({
      create: 1,
      update: 1,
      delete: 1,
      replace: 1,
      other: 1,
    })
  })

  it('reads as a sentence', () => {
    expect(summaryText(of(['create'], ['create'], ['update']))).toBe('2 to create, 1 to update')
    expect(summaryText(of(['delete'], ['replace'], ['read']))).toBe('1 to replace, 1 to delete, 1 other')
    expect(summaryText(of())).toBe('no changes')
  })

  it('tells an empty plan, and how much is destroyed', () => {
    expect(isEmpty(of())).toBe(true)
    expect(isEmpty(of(['read']))).toBe(false)
    expect(destroysOf(of(['delete'], ['replace'], ['create']))).toBe(2)
  })
})
