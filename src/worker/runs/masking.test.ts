import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createMasker } from './masking.ts'

const KEY = `-----BEGIN KEY-----\n${'MIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n'.repeat(4)}-----END KEY-----\n`

function masked(secret: string, text: string): string {
  const masker = createMasker()
  masker.add(secret)
  return masker.text(text)
}

test.for([
  ['as it is', 'token=pa55-w0rd!', 'token=***'],
  ['twice, touching', 'pa55-w0rd!pa55-w0rd!', '******'],
  ['in a URL', `https://u:${encodeURIComponent('pa55-w0rd!')}@host`, 'https://u:***@host'],
  ['as base64', `x ${Buffer.from('pa55-w0rd!').toString('base64')} y`, 'x *** y'],
])('a secret is found %s', ([, text, expected]) => {
  expect(masked('pa55-w0rd!', text!)).toBe(expected)
})

test.for([
  ['in JSON of Go', String.raw`a\"b \u003cc\u0026d\u003e é+('x')`],
  ['in JSON of Python', String.raw`a\"b <c&d> \u00e9+('x')`],
  ['in JSON within JSON', String.raw`a\\\"b <c&d> é+('x')`],
  ['in JSON of Go within JSON', String.raw`a\\\"b \\u003cc\\u0026d\\u003e é+('x')`],
  ['in a form', 'a%22b+%3Cc%26d%3E+%C3%A9%2B%28%27x%27%29'],
  ['in a path with small letters', "a%22b%20%3cc%26d%3e%20%c3%a9%2b('x')"],
  ['in hex', Buffer.from(`a"b <c&d> é+('x')`).toString('hex')],
])('a secret of many signs is found %s', ([, text]) => {
  expect(masked(`a"b <c&d> é+('x')`, `value: ${text}.`)).toBe('value: ***.')
})

test('a secret that is no text can be registered', () => {
  expect(masked('\ud800abcd', 'x')).toBe('x')
})

test.for([0, 1, 2])('a secret is found in base64 of a longer text, %i bytes in', (before) => {
  const encoded = Buffer.from(`${'u'.repeat(before)}:pa55-w0rd-is-long:more`).toString('base64')
  const left = masked('pa55-w0rd-is-long', encoded)
  expect(left).toContain('***')
  expect(Buffer.from(left.replace('***', ''), 'base64').toString('latin1')).not.toContain('w0rd-is')
})

test('a key of many lines is found whole, line by line, indented, in JSON and as wrapped base64', () => {
  expect(masked(KEY, `a\n${KEY}b`)).toBe('a\n***b')
  expect(
    masked(
      KEY,
      KEY.trim()
        .split('\n')
        .map((line) => `  > ${line}`)
        .join('\n'),
    ),
  ).not.toContain('MIIE')
  expect(masked(KEY, JSON.stringify({ key: KEY }))).toBe('{"key":"***\\n"}')
  const wrapped = Buffer.from(KEY)
    .toString('base64')
    .match(/.{1,76}/g)!
    .join('\n')
  expect(masked(KEY, wrapped).replaceAll(/[*\n]/g, '').length).toBeLessThan(16)
})

test('what is too short to be told from other text is left', () => {
  expect(masked('yes', 'yes or no')).toBe('yes or no')
})

test('strings, numbers and keys inside values are masked; the keys of our own records stay', () => {
  const masker = createMasker()
  for (const secret of ['secret', '12345678']) masker.add(secret)
  const value = { secret: ['my secret', 1, 12345678, null, { a: 'secret' }] }
  expect(masker.deep(value)).toEqual({ '***': ['my ***', 1, '***', null, { a: '***' }] })
  expect(masker.fields(value)).toEqual({ secret: ['my ***', 1, '***', null, { a: '***' }] })
  expect(masker.deep({ secret: 1, secretsecret: 2, '***': 3 })).toEqual({ '***': 1, '******': 2, '*** (2)': 3 })
})

test('a text that was cut shows no part of a secret at its ends', () => {
  const secret = 'correct-horse-battery-staple'
  for (let left = 6; left < secret.length; left++) {
    for (const end of ['…', ' …\n', '...'])
      expect(masked(secret, `said: ${secret.slice(0, left)}${end}`)).toBe(`said: ***${end}`)
    const long = 'and so on '.repeat(30)
    expect(masked(secret, `${long}${secret.slice(0, left)}`)).toBe(`${long}***`)
    const short = `said: ${secret.slice(0, left)}`
    expect(masked(secret, short)).toBe(left < 12 ? short : 'said: ***')
    const rest = `${secret.slice(-left)} ${'and so on '.repeat(30)}`
    expect(masked(secret, rest)).toBe(rest.replace(secret.slice(-left), '***'))
  }
  expect(masked(secret, 'the answer is correct')).toBe('the answer is correct')
  expect(masked('10.99.71.11 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5', '10.99.71.11')).toBe('10.99.71.11')
  expect(masked(secret, 'battery-staple')).toBe('battery-staple')
})

test('a short secret hides what equals it and nothing else', () => {
  const masker = createMasker()
  for (const secret of ['x7', 'no', '']) masker.add(secret)
  expect([masker.holds('x7'), masker.holds({ a: ['x7'] }), masker.holds('x77')]).toEqual([true, true, false])
  expect([masker.holds('no'), masker.holds(''), masker.text('x7')]).toEqual([false, false, 'x7'])
})

test('a text in pieces never shows a secret, wherever it is cut, and loses nothing else', () => {
  const secrets = ['abab', 'secret-value', 'ababab-x', 'multi\nline\nsecret']
  const word = fc.constantFrom(
    'ab',
    'a',
    'b-x',
    'secret-',
    'value',
    'multi',
    '\n',
    'line',
    'secret',
    ' ',
    'plain',
    ...secrets,
  )
  fc.assert(
    fc.property(fc.array(word, { maxLength: 30 }), fc.array(fc.nat(20), { maxLength: 30 }), (words, cuts) => {
      // What is cut at its ends is hidden more eagerly, and a piece cannot know that it is the last.
      const text = `| ${words.join('')}.`
      const masker = createMasker()
      for (const secret of secrets) masker.add(secret)
      const stream = masker.stream()
      let shown = ''
      let at = 0
      for (const cut of cuts) {
        shown += stream.push(text.slice(at, at + cut))
        at += cut
      }
      shown += stream.push(text.slice(at)) + stream.flush()
      for (const secret of secrets) expect(shown).not.toContain(secret)
      expect(shown).toBe(masker.text(text))
    }),
    { numRuns: 2_000 },
  )
})

test('a line is shown at once when it cannot be the beginning of a secret', () => {
  const masker = createMasker()
  masker.add('topsecret')
  const stream = masker.stream()
  expect(stream.push('hello\n')).toBe('hello\n')
  expect(stream.push('the word is top')).toBe('the word is ')
  expect(stream.push('ic\n')).toBe('topic\n')
})
