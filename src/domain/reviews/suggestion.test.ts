import { describe, expect, it } from 'vitest'
import { replacedLines, suggestionsIn, withSuggestion } from './suggestion.ts'

describe('suggestions of a comment', () => {
  it.each([
    ['of the line itself', 'Rather:\n```suggestion\nnew\n```\n', [{ above: 0, below: 0, text: 'new\n' }]],
    ['of lines around it', '```suggestion:-1+2\na\nb\n```', [{ above: 1, below: 2, text: 'a\nb\n' }]],
    ['that takes lines away', '```suggestion\n```', [{ above: 0, below: 0, text: '' }]],
    ['with an empty line', '```suggestion\n\n```', [{ above: 0, below: 0, text: '\n' }]],
    ['in tildes', '~~~suggestion\n```\n~~~', [{ above: 0, below: 0, text: '```\n' }]],
    ['in a longer fence', '````suggestion\n```\n````', [{ above: 0, below: 0, text: '```\n' }]],
    ['with the line ends of a browser', '```suggestion\r\nx\r\n```\r\n', [{ above: 0, below: 0, text: 'x\n' }]],
    ['that nobody ended', '```suggestion\nx', [{ above: 0, below: 0, text: 'x\n' }]],
    ['quoted in another fence', '````\n```suggestion\nx\n```\n````', []],
    ['of another word', '```suggestions\nx\n```', []],
    ['with no numbers', '```suggestion:-a+b\nx\n```', []],
    ['as code within a line', '``` suggestion``` is how', []],
  ])('%s', (_what, body, expected) => {
    expect(suggestionsIn(body)).toEqual(expected)
  })

  it('are as many as there are', () => {
    expect(suggestionsIn('```suggestion\na\n```\nor\n```suggestion\nb\n```').map(({ text }) => text)).toEqual([
      'a\n',
      'b\n',
    ])
  })
})

describe('a suggestion in its file', () => {
  const one = (text: string, around = { above: 0, below: 0 }) => ({ ...around, text })
  it.each([
    ['replaces a line', 'a\nb\nc\n', 2, one('B\n'), 'a\nB\nc\n'],
    ['replaces lines around', 'a\nb\nc\n', 2, one('x\n', { above: 1, below: 1 }), 'x\n'],
    ['takes a line away', 'a\nb\n', 1, one(''), 'b\n'],
    ['keeps line ends', 'a\r\nb\r\n', 1, one('x\ny\n'), 'x\r\ny\r\nb\r\n'],
    ['keeps a last line without one', 'a\nb', 2, one('x\n'), 'a\nx'],
  ])('%s', (_what, text, line, suggestion, expected) => {
    expect(withSuggestion(text, line, suggestion)).toBe(expected)
  })

  it.each([
    ['before the first line', 1, { above: 1, below: 0 }],
    ['behind the last one', 2, { above: 0, below: 1 }],
    ['of a line that is not there', 3, { above: 0, below: 0 }],
  ])('%s is refused', (_what, line, around) => {
    expect(() => withSuggestion('a\nb\n', line, one('x\n', around))).toThrow(/the file has 2/)
  })

  it('shows what it replaces', () => {
    expect(replacedLines('a\nb\nc\n', 2, one('', { above: 1, below: 0 }))).toBe('a\nb\n')
  })
})
