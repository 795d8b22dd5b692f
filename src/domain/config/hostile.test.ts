import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TrueupError } from '../../lib/errors/error.ts'
import { parseConfig } from './parse.ts'
import { stopwatch } from '../stopwatch.testing.ts'

const MIB = 1024 * 1024

function codeOf(source: string | Buffer): string {
  try {
    parseConfig(source)
    return 'accepted'
  } catch (thrown) {
    if (thrown instanceof TrueupError) return thrown.code
    throw thrown
  }
}

describe('syntax', () => {
  it.each([
    ['a tab as indentation', 'version: 1\nenvironments:\n\tstaging: {}\n', /^line 3:1: tabs are not allowed/],
    ['an open quote', 'version: "1\n', /^line 2:1: missing closing "quote/],
    ['an open bracket', 'version: 1\nstacks: [\n', /^line 3:1: .*flow/],
    ['two documents', 'version: 1\n---\nversion: 1\n', /^line 2: a second document begins/],
    ['a custom tag', 'version: !foo 1\n', /^line 1: the tag "!foo" is not supported/],
    ['a binary tag', 'version: 1\nx: !!binary aGk=\n', /^line 2: the tag "!!binary" is not supported/],
    ['a directive', '%YAML 1.1\n---\nversion: 1\n', /^line 1: the directive "%YAML 1.1" is not supported/],
    ['an unknown alias', 'version: *one\n', /the alias \*one names no anchor/],
    ['a key that is a list', '? [a]\n: 1\n', /^line 1:3: .*keys must be strings/],
    ['NUL', 'version: "\0"\n', /NUL/],
    ['a merge of something else', 'version: 1\nenvironments: { <<: 3 }\nstacks: []\n', /^line 2: a merge key/],
  ])('%s is said where it stands', (_what, source, why) => {
    expect(() => parseConfig(source)).toThrow(
      expect.objectContaining({
        code: 'CONFIG_SYNTAX',
        text: expect.objectContaining({ why: expect.stringMatching(why) }),
      }),
    )
  })

  it.each([
    ['UTF-16', Buffer.from('version: 1\n', 'utf16le')],
    ['Latin-1', Buffer.from('version: 1 # h\xf6hle\n', 'latin1')],
    ['a program', Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0, 0, 1])],
  ])('%s is not text', (_what, bytes) => expect(codeOf(bytes)).toBe('CONFIG_SYNTAX'))
})

describe('limits', () => {
  const bomb = ['a: &a [x,x,x,x,x,x,x,x,x]']
  for (const [name, of] of ['ba', 'cb', 'dc', 'ed', 'fe', 'gf', 'hg'].map((pair) => pair.split('')))
    bomb.push(`${name}: &${name} [${`*${of}, `.repeat(9)}]`)
  const lines = (count: number, line: (i: number) => string) =>
    Array.from({ length: count }, (_, i) => line(i)).join('\n')

  it.each([
    ['a 10 MB file', 'a'.repeat(10 * MIB)],
    ['a 10 MB file of bytes', Buffer.alloc(10 * MIB, 'a')],
    ['an alias bomb', bomb.join('\n')],
    ['a merge bomb', `a: &a {${lines(40_000, (i) => `k${i}: 1,`)}}\n${lines(900, (i) => `m${i}: {<<: *a}`)}`],
    ['a large value named often', `a: &a [${'x,'.repeat(50_000)}]\nb: [${'*a ,'.repeat(900)}]`],
    ['an alias inside of what it names', 'a: &a { b: *a }\n'],
    ['aliases', `a: &a x\nb: [${'*a ,'.repeat(200_000)}]`],
    ['anchors', lines(50_000, (i) => `k${i}: &a${i} 1`)],
    ['brackets', `a: ${'['.repeat(MIB - 10)}`],
    ['braces', '{a: '.repeat(MIB / 4)],
    ['lists in a line', '- '.repeat(MIB / 2)],
    ['keys in a line', '? '.repeat(MIB / 2)],
    ['maps below each other', lines(1400, (i) => `${' '.repeat(i)}k:`)],
    ['20,001 stacks', `version: 1\nenvironments: {a: {}}\nstacks:\n${'- {path: a, driver: b}\n'.repeat(20_001)}`],
  ])('%s is too much, and found soon', (_what, source) => {
    const elapsed = stopwatch()
    expect(codeOf(source)).toBe('CONFIG_LIMIT')
    expect(elapsed()).toBeLessThan(5000)
  })

  it.each([
    ['}', '}'],
    ['[,,', ','],
    ['', '"'],
    ['', '&a '],
    ['', 'a: '],
    ['a: 1\n', '#\n'],
    ['', '---\n'],
    ['', '- \n'],
    ['a: {', ': ,'],
    ['a: [', '[],'],
    ['', '- ? \n'],
    ['a: "', '\\u0041'],
    ['', '\t'],
    ['a: |\n', ' \n'],
  ])('a mebibyte of %j%j is refused within seconds', { timeout: 300_000 }, (head, unit) => {
    const elapsed = stopwatch()
    expect(codeOf(head + unit.repeat((MIB - head.length) / unit.length))).toMatch(/^CONFIG_/)
    expect(elapsed()).toBeLessThan(8000)
  })

  it('reads 20,000 stacks of a line each', () => {
    const elapsed = stopwatch()
    const source = `version: 1\nenvironments: {a: {}}\nstacks:\n${lines(20_000, (i) => `- {path: apps/a${i}, driver: files}`)}\n`
    expect(parseConfig(source).stacks).toHaveLength(20_000)
    expect(elapsed()).toBeLessThan(5000)
  })

  it('reads anchors used a few hundred times', () => {
    const source = `version: 1\nenvironments: {a: {}}\nstacks:\n- {path: x, driver: files, ignore: &i [{address: a, attribute: b}]}\n${lines(500, (i) => `- {path: x${i}, driver: files, ignore: *i}`)}\n`
    expect(parseConfig(source).stacks).toHaveLength(501)
  })
})

it('whatever the bytes, it answers with a TrueupError or a configuration', () => {
  const word = fc.constantFrom(
    'version: 1\n',
    'stacks:',
    'environments:',
    '- ',
    '{',
    '}',
    '[',
    ']',
    ': ',
    '\n',
    '  ',
    '&a ',
    '*a',
    '<<: ',
    '"',
    "'",
    '|',
    '#',
    'path',
    '__proto__',
    'null',
    '\t',
    '\uFEFF',
    '\ud800',
    '? ',
  )
  fc.assert(
    fc.property(fc.array(fc.oneof(word, fc.string()), { maxLength: 40 }), (words) => {
      expect(codeOf(words.join(''))).toMatch(/^(accepted|CONFIG_(SYNTAX|INVALID|LIMIT))$/)
    }),
    { numRuns: 2000 },
  )
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      expect(codeOf(Buffer.from(bytes))).toMatch(/^CONFIG_/)
    }),
    { numRuns: 500 },
  )
})

it('leaves no trace on Object.prototype', () => {
  for (const source of [
    '__proto__: { polluted: 1 }\n',
    '{"__proto__": {"polluted": 1}}',
    'constructor: { prototype: { polluted: 1 } }\n',
    'a: &a { __proto__: { polluted: 1 } }\nb: { <<: *a }\n',
  ])
    expect(codeOf(source)).toBe('CONFIG_INVALID')
  expect(({} as { polluted?: number }).polluted).toBeUndefined()
})
