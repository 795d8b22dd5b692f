import { describe, expect, it } from 'vitest'
import { MAX_SHOWN_CHARS, toldOfSecret } from './secret-text.ts'

const many = (line: string, count: number): string => `${line}\n`.repeat(count)

describe('what is told of a secret text', () => {
  it.each([
    ['one line', 'a', 'b', undefined],
    ['one line with its end', 'a\n', 'b\n', undefined],
    ['no text', 1, 'a\nb', undefined],
    ['a new one', undefined, 'a\nb\n', '2 lines'],
    ['one that goes', 'a\nb\n', null, '2 lines'],
    ['a changed line', 'a\nb\n', 'a\nc\n', '2 lines: 1 written, 1 taken away'],
    ['a line more', 'a\nb\n', 'a\nb\nc\n', '2 lines become 3: 1 written, 0 taken away'],
    ['another text', many('a', 3_000), many('b', 3_000), '3000 lines, most of them others'],
  ])('are its lines: %s', (_what, before, after, told) => {
    expect(toldOfSecret(before, after, false)).toBe(told)
  })

  it('are the lines themselves where that is asked, within bounds', () => {
    expect(toldOfSecret('a\nb\n', 'a\nc\n', true)).toBe(' a\n-b\n+c')
    expect(toldOfSecret(undefined, many('x'.repeat(1_000), 300), true)?.length).toBeLessThanOrEqual(MAX_SHOWN_CHARS)
    expect(toldOfSecret(undefined, many('x', 1_000), true)).toMatch(/\n…$/)
    expect(toldOfSecret(many('a', 3_000), many('b', 3_000), true)).toBe('3000 lines, most of them others')
  })
})
