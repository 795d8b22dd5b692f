import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { glob } from './glob.ts'

describe('glob', () => {
  it.each([
    ['', '', true],
    ['', 'a', false],
    ['*', '', true],
    ['*', 'a/b.c', true],
    ['a*c', 'abbc', true],
    ['a*c', 'abcd', false],
    ['a?c', 'abc', true],
    ['a?c', 'ac', false],
    ['*a*b', 'xaxbxb', true],
    ['a.c', 'abc', false],
    ['module.*.aws_*', 'module.web.aws_vpc.main', true],
    ['x*', 'ax', false],
  ])('%s against %s: %s', (pattern, text, matches) => {
    expect(glob(pattern, text)).toBe(matches)
  })

  it('agrees with the regular expression that it stands for', () => {
    const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?'), maxLength: 6 })
    const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 8 })
    fc.assert(
      fc.property(pattern, text, (glued, subject) => {
        const expression = new RegExp(`^${glued.replaceAll('*', '.*').replaceAll('?', '.')}$`, 's')
        expect(glob(glued, subject)).toBe(expression.test(subject))
      }),
      { numRuns: 1_000 },
    )
  })
})
