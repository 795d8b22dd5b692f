import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { createOutput, fields, type Layout, type Wishes } from './output.ts'

/** What a command prints on a terminal of so many columns; on no terminal where there are none. */
function printed(text: (layout: Layout) => string, columns?: number, wishes: Wishes = {}): string {
  const out = Object.assign(new PassThrough(), columns === undefined ? {} : { isTTY: true, columns })
  createOutput({ out, err: new PassThrough(), env: {} }, false, wishes).result(null, text)
  return String(out.read() ?? '')
}

const rows = [
  ['one', 'x'.repeat(100)],
  ['thirteen', 'short'],
]

describe('tables', () => {
  it('fit the terminal: the last column is cut', () => {
    const lines = printed(({ table }) => table(['name', 'text'], rows), 40)
      .trimEnd()
      .split('\n')
    expect(lines).toEqual(['NAME      TEXT', `one       ${'x'.repeat(29)}…`, 'thirteen  short'])
  })

  it('are whole in a pipe', () => {
    expect(printed(({ table }) => table(['name', 'text'], rows))).toContain('x'.repeat(100))
  })

  it('keep some of the last column on the narrowest terminal', () => {
    expect(printed(({ table }) => table(['name', 'text'], rows), 5)).toContain(`${'x'.repeat(9)}…`)
  })

  it('count colours as nothing, and keep them where nothing is cut', () => {
    const painted = '\u001b[31mred\u001b[39m'
    expect(printed(({ table }) => table(['a', 'b'], [[painted, 'x']]), 40)).toBe(`A    B\n${painted}  x\n`)
  })

  it('let nobody else speak to the terminal', () => {
    const text = printed(({ table }) => table(['a', 'b'], [['\u001b]0;mine\u0007', 'two\nlines\u202e']]))
    expect(text).toBe('A                    B\n\\u001b]0;mine\\u0007  two lines\\u202e\n')
    expect(fields([['title', '\u001b[2J']])).toBe('title  \\u001b[2J')
  })
})

describe('what a person wishes', () => {
  const two = ({ table }: Layout): string =>
    [table(['name', 'text'], rows), table(['other', 'last seen'], [['a', 'b']])].join('\n')

  it('is times as they are written, or how long ago', () => {
    const at = Date.now() - 300_000
    expect(printed(({ when }) => when(at))).toBe('5 min ago\n')
    expect(printed(({ when }) => when(at), undefined, { absolute: true })).toMatch(/^\d{4}-.*Z\n$/)
  })

  it('is columns of the table that has them', () => {
    expect(printed(two, undefined, { columns: ['last-seen'] })).toMatch(/^NAME +TEXT\n[^]*LAST SEEN\nb\n$/)
    expect(() => printed(two, undefined, { columns: ['nosuch'] })).toThrow(
      expect.objectContaining({ text: expect.objectContaining({ next: 'There are name, text, other, last-seen.' }) }),
    )
  })

  it('is a screen that is drawn anew', () => {
    const text = printed(() => 'x', 40, { redrawn: true })
    expect(text.startsWith('\u001b[H\u001b[Jx\n\n')).toBe(true)
    expect(text).toMatch(/\n\d{4}-\S+Z\n$/)
  })
})

it('says of an empty list that it is empty, and not on stdout', () => {
  const [out, err] = [new PassThrough(), new PassThrough()]
  createOutput({ out, err, env: {} }, false).result([], ({ table }) => table(['name'], []))
  expect([out.read(), String(err.read())]).toEqual([null, 'none\n'])
})

it('leaves stderr to the error where a program asks for JSON', () => {
  const said = (json: boolean, isTTY: boolean): unknown => {
    const err = Object.assign(new PassThrough(), { isTTY })
    const output = createOutput({ out: new PassThrough(), err, env: {} }, json)
    output.progress('working')
    output.note('done')
    return String(err.read() ?? '')
  }
  expect(said(true, false)).toBe('')
  expect(said(false, false)).toBe('working\ndone\n')
  expect(said(true, true)).toContain('working')
})

describe('paragraphs', () => {
  it('are wrapped at words and indented', () => {
    const text = 'The quick brown fox jumps over the lazy dog\nand sleeps'
    expect(printed(({ wrap }) => wrap(text, '  '), 24)).toBe(
      '  The quick brown fox\n  jumps over the lazy\n  dog\n  and sleeps\n',
    )
  })
})
