import { expect, test } from 'vitest'
import { createMasker } from './masking.ts'

const SECRETS: { [name: string]: string } = {
  word: 'Zq7-canary-K3y!',
  signs: `q"u'o<t>e&$d \\slash/p+c%a #{x} é`,
  key: `-----BEGIN KEY-----\n${[1, 2, 3, 4].map((i) => `MIIEvQIBADANBgkqhkiG9w0BAQ${'abcdefghij'.repeat(3)}${i}`).join('\n')}\n-----END KEY-----\n`,
}

const base64 = (text: string) => Buffer.from(text).toString('base64')
const hex = (text: string) => Buffer.from(text).toString('hex')
const wrap = (text: string, width: number) => text.match(new RegExp(`.{1,${width}}`, 'g'))!.join('\n')
const json = (text: string) => JSON.stringify(text)
const repr = (text: string) => text.replaceAll(/['\\]/g, String.raw`\$&`).replaceAll('\n', String.raw`\n`)
const html = (text: string, quote: string, apostrophe: string) =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', quote)
    .replaceAll("'", apostrophe)

/** What tools make of a text, beside it or around it. */
const FORMS: { [name: string]: { make: (text: string) => string } } = {
  'as it is': { make: (text) => text },
  'each line indented': { make: (text) => text.replaceAll(/^/gm, '      ') },
  'each line quoted': { make: (text) => text.replaceAll(/^/gm, '> ') },
  'with other line ends': { make: (text) => text.replaceAll('\n', '\r\n') },
  'one line only': { make: (text) => text.split('\n').at(text.includes('\n') ? 2 : 0)! },
  JSON: { make: json },
  'JSON in JSON': { make: (text) => json(json(text)) },
  'JSON of Python in JSON': {
    make: (text) =>
      json(json(text).replaceAll(/[^ -~]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)),
  },
  'quotes of sh in JSON': { make: (text) => json(`'${text.replaceAll("'", String.raw`'\''`)}'`) },
  'base64 of JSON': { make: (text) => base64(`{"auths":{"r":{"password":${json(text)}}}}`) },
  'JSON of Python': {
    make: (text) => json(text).replaceAll(/[^ -~]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`),
  },
  'JSON of Go': {
    make: (text) => json(text).replaceAll('<', '\\u003c').replaceAll('>', '\\u003e').replaceAll('&', '\\u0026'),
  },
  'YAML in single quotes': { make: (text) => `'${text.replaceAll("'", "''")}'` },
  'YAML of Python': { make: (text) => json(text).replaceAll('é', '\\xE9') },
  'percent encoding': { make: encodeURIComponent },
  'percent encoding in small letters': {
    make: (text) => encodeURIComponent(text).replaceAll(/%../g, (code) => code.toLowerCase()),
  },
  'urlencode of Jinja': {
    make: (text) =>
      encodeURIComponent(text)
        .replaceAll('%2F', '/')
        .replaceAll(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`),
  },
  form: { make: (text) => new URLSearchParams({ t: text }).toString() },
  'quotes of sh': { make: (text) => `'${text.replaceAll("'", String.raw`'\''`)}'` },
  'quotes of Python': { make: (text) => `'${text.replaceAll("'", `'"'"'`)}'` },
  'repr of Python': { make: (text) => `'${repr(text)}'` },
  'JSON in the repr of Python': { make: (text) => `'${repr(json(text))}'` },
  'bytes of Python': { make: (text) => `b'${repr(text).replaceAll('é', '\\xc3\\xa9')}'` },
  'quotes of git': { make: (text) => json(text).replaceAll('é', '\\303\\251') },
  'single quotes of Puppet': { make: (text) => `'${text.replaceAll("'", String.raw`\'`)}'` },
  'JSON in single quotes of Puppet': { make: (text) => `'${json(text).replaceAll("'", String.raw`\'`)}'` },
  'quotes of sh in single quotes of Puppet': {
    make: (text) => `'${text.replaceAll("'", String.raw`'\''`).replaceAll("'", String.raw`\'`)}'`,
  },
  'double quotes of Puppet': {
    make: (text) => `"${text.replaceAll(/["$\\]/g, String.raw`\$&`).replaceAll('\n', String.raw`\n`)}"`,
  },
  'inspect of Ruby': { make: (text) => json(text).replaceAll(/#(?=[{$@])/g, String.raw`\#`) },
  'JSON echoed by dash': { make: (text) => json(text).replaceAll(String.raw`\\`, '\\') },
  'JSON in JSON echoed by dash': { make: (text) => json(json(text)).replaceAll(String.raw`\\`, '\\') },
  'HTML of Python': { make: (text) => html(text, '&quot;', '&#x27;') },
  'HTML of Go': { make: (text) => html(text, '&#34;', '&#39;') },
  'HTML of Jinja': { make: (text) => html(text, '&#34;', '&#39;') },
  hex: { make: hex },
  'hex in capitals': { make: (text) => hex(text).toUpperCase() },
  'hex within more': { make: (text) => hex(`ab${text}cd`) },
  base64url: { make: (text) => Buffer.from(text).toString('base64url') },
  ...Object.fromEntries(
    [0, 1, 2].flatMap((before) =>
      [0, 64, 76].map((width) => [
        `base64, ${before} bytes in, ${width === 0 ? 'in one line' : `lines of ${width}`}`,
        {
          make: (text: string) => {
            const encoded = base64(`${'u'.repeat(before)}${text}: and a text that goes on for a while after it`)
            return width === 0 ? encoded : wrap(encoded, width)
          },
        },
      ]),
    ),
  ),
  ...Object.fromEntries(
    [10, 40, 60].map((before) => [
      `base64 of a file, ${before} bytes in, lines of 76`,
      { make: (text: string) => wrap(base64(`${'u'.repeat(before)}${text}\nend`), 76) },
    ]),
  ),
}

/** Any stretch of this many characters of what tools made of a secret gives it away. */
const TELLING = 14
const WAYS = ['whole', 'in pieces', 'in an attribute', 'in a key', 'cut'] as const

function shown(way: (typeof WAYS)[number], masker: ReturnType<typeof createMasker>, text: string): string {
  const framed = `before ${text} after`
  switch (way) {
    case 'whole':
      return masker.text(framed)
    case 'in pieces': {
      const stream = masker.stream()
      let said = ''
      for (let at = 0; at < framed.length; at += 7) said += stream.push(framed.slice(at, at + 7))
      return said + stream.flush()
    }
    case 'in an attribute':
      return masker.holds({ list: [framed] }) ? '' : framed
    case 'in a key':
      return JSON.stringify(Object.keys(masker.deep({ [framed]: 1 })))
    case 'cut':
      return masker.text(framed.slice(0, framed.length - ' after'.length - 3))
  }
}

/** Whether what is shown gives the secret away: by a stretch of its form, or decoded at any offset. */
function tells(form: string, made: string, secret: string, said: string): boolean {
  if (/base64|hex/.test(form)) return decodesTo(said, secret, form)
  return made
    .split(/\r?\n/)
    .map((line) => line.trim())
    .some((line) => stretches(line, TELLING).some((part) => said.includes(part)))
}

const stretches = (text: string, length: number): string[] =>
  Array.from({ length: Math.max(0, text.length - length + 1) }, (_, i) => text.slice(i, i + length))

test('no form of a secret is shown in any way, and without the masker nearly every one is', () => {
  let cases = 0
  let bitten = 0
  const shows: string[] = []
  for (const [name, secret] of Object.entries(SECRETS)) {
    const masker = createMasker()
    masker.add(secret)
    const blind = createMasker()
    for (const [form, { make }] of Object.entries(FORMS)) {
      for (const way of WAYS) {
        cases++
        const made = make(secret)
        const hits = (by: typeof masker) => tells(form, made, secret, shown(way, by, made))
        if (hits(masker)) shows.push(`${name}, ${form}, ${way}`)
        if (hits(blind)) bitten++
      }
    }
  }
  // oxlint-disable-next-line no-console -- both numbers belong to what the test shows
  console.log(`${cases} cases: ${shows.length} show the secret, ${bitten} without masking`)
  expect(cases).toBeGreaterThan(400)
  expect(shows).toEqual([])
  expect(bitten).toBeGreaterThan(cases * 0.9)
})

/** Whether ten characters of the secret can be read out of any stretch of base64 or hex that is left, at any offset. */
function decodesTo(said: string, secret: string, form: string): boolean {
  const left = said.replaceAll(/\\n|\r?\n/g, '').match(/[\w+/-]{8,}/g) ?? []
  const codec = form.startsWith('hex') ? 'hex' : 'base64'
  const parts = stretches(Buffer.from(secret).toString('latin1'), 10)
  return left.some((stretch) =>
    [0, 1, 2, 3].some((skip) => {
      const plain = Buffer.from(stretch.slice(skip), codec).toString('latin1')
      return parts.some((part) => plain.includes(part))
    }),
  )
}
