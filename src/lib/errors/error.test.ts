import { describe, expect, it } from 'vitest'
import { errorFromBody, TrueupError } from './error.ts'

const shown = (why: string) => new TrueupError('INTERNAL', { doing: 'fetching', why }).text.why

describe('an error takes the credentials out of', () => {
  it.each([
    ['https://ada:s3cret@git.example.org/shop.git', 'https://***@git.example.org/shop.git'],
    ['https://s3cret@git.example.org/shop.git', 'https://***@git.example.org/shop.git'],
    ['https://:s3cret@git.example.org', 'https://***@git.example.org'],
    ['https://oauth2:s3cret@git.example.org:8443/shop.git', 'https://***@git.example.org:8443/shop.git'],
    ['https://x-access-token:s3cret@git.example.org', 'https://***@git.example.org'],
    ['https://ada:s3%40cr%2Fet@git.example.org', 'https://***@git.example.org'],
    ['https://ada%40example.org:s3cret@git.example.org', 'https://***@git.example.org'],
    ['https://ada@example.org:s3cret@git.example.org', 'https://***@git.example.org'],
    ['https://ada:s3"cr\'et<>,;@git.example.org', 'https://***@git.example.org'],
    ['https://ada:s3/cret@git.example.org/a', 'https://***@git.example.org/a'],
    ['https://ada:s3?cr#et@git.example.org/a', 'https://***@git.example.org/a'],
    ['HTTPS://ada:s3cret@git.example.org', 'HTTPS://***@git.example.org'],
    ['http://ada:s3cret@[::1]:3000/shop.git', 'http://***@[::1]:3000/shop.git'],
    ['http://ada:s3cret@10.0.0.1', 'http://***@10.0.0.1'],
    ['ssh://ada:s3cret@git.example.org:2222/shop.git', 'ssh://***@git.example.org:2222/shop.git'],
    ['git+https://ada:s3cret@git.example.org', 'git+https://***@git.example.org'],
    ['postgres://ada:s3cret@db.example.org/trueup', 'postgres://***@db.example.org/trueup'],
    ['git::https://ada:s3cret@git.example.org//modules', 'git::https://***@git.example.org//modules'],
    ["fatal: unable to access 'https://ada:s3cret@h/': no", "fatal: unable to access 'https://***@h/': no"],
    ['from (https://a:s3cret@h) to <https://b:s3cret@i>', 'from (https://***@h) to <https://***@i>'],
    ['https://a:s3cret@h\nhttps://b:s3cret@i', 'https://***@h\nhttps://***@i'],
    ['https://h/?url=https%3A%2F%2Fada%3As3cret%40i%2Fa', 'https://h/?url=https%3A%2F%2F***%40i%2Fa'],
    ['https://h/?url=https%253A%252F%252Fada%253As3cret%2540i', 'https://h/?url=https%253A%252F%252F***%2540i'],
    ['https://h/a?access_token=s3cret', 'https://h/a?access_token=***'],
    ['https://h/a?x=1&private_token=s3cret&y=2#z', 'https://h/a?x=1&private_token=***&y=2#z'],
    ['https://h/a#id_token=s3cret', 'https://h/a#id_token=***'],
    ['GET /a?token=s3cret: 403', 'GET /a?token=*** 403'],
    ['https://h/a?sig=s3cret%3D&sv=2020', 'https://h/a?sig=***&sv=2020'],
    [
      'https://h/a?X-Amz-Credential=s3cret&X-Amz-Signature=s3cret',
      'https://h/a?X-Amz-Credential=***&X-Amz-Signature=***',
    ],
    ['https://h/a?client_secret=s3cret&api_key=s3cret', 'https://h/a?client_secret=***&api_key=***'],
    ['https://h/a?AWSAccessKeyId=s3cret&password=s3cret', 'https://h/a?AWSAccessKeyId=***&password=***'],
  ])('%s', (why, expected) => {
    expect(shown(why)).toBe(expected)
    expect(shown(expected)).toBe(expected)
  })
})

describe('an error leaves', () => {
  it.each([
    'https://git.example.org/shop.git',
    'https://git.example.org:8443/shop.git@v1.2',
    'https://registry.example.org/@scope/name@1.0.0',
    'http://[2001:db8::1]:7420/a@b',
    'ssh://git@git.example.org/shop.git',
    'git+ssh://git@git.example.org/shop.git',
    'git@git.example.org:shop.git',
    'https://h/a?page=2&design=3&token_type=x#l10',
    'ask bob@example.org, see https://example.org',
    'file:///srv/git/shop.git',
    'line 4: unknown key "enviroments"\n\tdid you mean "environments"?',
    'a = b, token = unset; password: none',
    'Grüße aus Kyōto, 数 🙂, e\u0301, می\u200cخواهم',
  ])('%s', (why) => expect(shown(why)).toBe(why))
})

describe('an error shows', () => {
  it.each([
    ['colours as nothing', '\u001b[31mred\u001b[0m', 'red'],
    ['links of terminals as their text', '\u001b]8;;https://h\u0007text\u001b]8;;\u0007', 'text'],
    ['carriage returns as lines', '10%\r20%\r\ndone', '10%\n20%\ndone'],
    ['a bell by its number', 'a\u0007b', 'a\\u0007b'],
    ['an escape without a sequence by its number', 'a\u001b', 'a\\u001b'],
    ['NUL and DEL by their numbers', '\u0000\u007f', '\\u0000\\u007f'],
    ['the eight-bit controls by their numbers', 'a\u0085b', 'a\\u0085b'],
    ['marks that turn the writing by their numbers', 'a\u202eb\u2066', 'a\\u202eb\\u2066'],
  ])('%s', (_what, why, expected) => expect(shown(why)).toBe(expected))
})

describe('the base class', () => {
  const dirty = 'https://ada:s3cret@h\u0007'
  const clean = 'https://***@h\\u0007'
  const error = new TrueupError('INTERNAL', {
    doing: dirty,
    why: dirty,
    next: dirty,
    details: { url: dirty, list: [dirty, 1, null, true], of: { [dirty]: dirty } },
  })

  it('cleans every word of it, wherever it is shown', () => {
    expect(error.message).toBe(`${clean}: ${clean}`)
    expect(error.toJSON()).toEqual({
      code: 'INTERNAL',
      doing: clean,
      why: clean,
      next: clean,
      details: { url: clean, list: [clean, 1, null, true], of: { [clean]: clean } },
    })
    for (const text of [error.explain(), error.stack, JSON.stringify(error)]) expect(text).not.toContain('s3cret')
  })

  it('cleans what came over the wire, and keeps the cause for whoever looks for it', () => {
    expect(errorFromBody({ code: 'INTERNAL', doing: dirty, why: dirty, next: dirty }).toJSON()).toMatchObject({
      why: clean,
    })
    const cause = new Error('why')
    expect(new TrueupError('INTERNAL', { doing: 'a', why: 'b', cause }).cause).toBe(cause)
  })

  it('is not slowed down by a text made for that', () => {
    const texts = ['https://a:b', '?a', '%3a%2f%2f', 'a'.repeat(64), '://a:b@', '&token='].map((part) =>
      part.repeat(20_000),
    )
    for (const text of texts) expect(shown(text).length).toBeGreaterThan(0)
  })
})
