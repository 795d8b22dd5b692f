import fc from 'fast-check'
import { expect, test } from 'vitest'
import { literals } from './literals.ts'

const few = fc.string({ unit: fc.constantFrom('a', 'b', 'ç', '\n'), maxLength: 12 })

/** The same by looking for one after the other. */
function slowly(text: string, known: readonly string[]) {
  const covered = Array.from({ length: text.length }, (_, at) =>
    known.filter((literal) => text.startsWith(literal, at)).reduce((end, { length }) => Math.max(end, at + length), at),
  )
  const found: [number, number][] = []
  for (const [at, end] of covered.entries()) {
    if (end === at) continue
    const last = found.at(-1)
    if (last && at < last[1]) last[1] = Math.max(last[1], end)
    else found.push([at, end])
  }
  const begins = (rest: string) => known.some((literal) => literal.length > rest.length && literal.startsWith(rest))
  const beginning = Array.from(text, (_, at) => at).find((at) => begins(text.slice(at)))
  return { found, beginning: beginning ?? text.length }
}

test('finds what looking for each of them finds, and where one may go on', () => {
  fc.assert(
    fc.property(
      fc.array(few, { maxLength: 8 }),
      fc.string({ unit: fc.constantFrom('a', 'b', 'ç', '\n') }),
      (given, text) => {
        const known = given.filter(({ length }) => length >= 4)
        const index = literals()
        for (const literal of given) index.add(literal)
        const expected = slowly(text, known)
        expect(index.find(text)).toEqual(expected.found)
        expect(index.beginningAt(text)).toBe(expected.beginning)
      },
    ),
    { numRuns: 3_000 },
  )
})

test('a thousand literals cost little more than one', () => {
  const text = 'terraform_data.a[17]: Still creating... [10s elapsed]\n'.repeat(20_000)
  const timed = (count: number) => {
    const index = literals()
    for (let i = 0; i < count; i++) index.add(`secret number ${i} of many`)
    const startedAt = performance.now()
    expect(index.find(text)).toEqual([])
    return performance.now() - startedAt
  }
  timed(1)
  expect(timed(1_000)).toBeLessThan(10 * timed(1) + 50)
})
