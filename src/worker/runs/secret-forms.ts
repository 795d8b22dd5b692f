/** Derived forms (a line of a key, base64) must be long enough not to be ordinary text. */
const SHORTEST_DERIVED = 8
/** Of an encoded text that is wrapped anywhere, every stretch of this many characters is known. */
const WINDOW = 12
/** Longer encoded forms are known by the lines of common columns and by windows at their beginning only. */
const MAX_WINDOWED = 2_048
const MAX_LINES = 500

/**
 * The forms in which tools print a secret: as it is, line by line, in JSON, YAML, HTML, URLs, forms, shell quotes, hex,
 * and base64 at each of the three places that it can have in a longer text, whole and wrapped. A form that only repeats
 * the text is left out.
 */
export function formsOf(secret: string): string[] {
  const trimmed = secret.trim().toWellFormed()
  const lines = trimmed.split(/\r?\n/, MAX_LINES).map((line) => line.trim())
  const texts = lines.length > 1 ? [trimmed, ...lines] : [trimmed]
  const encoded = [...encodedForms(secret), ...hexForms(trimmed)]
  const derived = [
    ...(lines.length > 1 ? lines : []),
    ...texts.flatMap((text) => (text.length < SHORTEST_DERIVED ? [] : quotedForms(text))),
    ...encoded,
  ].filter((form) => form.length >= SHORTEST_DERIVED)
  // A short secret that needs quotes has a quoted form that is short as well.
  return [...new Set([secret, trimmed, ...quotedForms(trimmed), ...derived])]
}

/** Every stretch of the encoded forms: a line break may fall anywhere, since what stands before the secret decides where. */
export function stretchesOf(secret: string): Set<string> {
  const trimmed = secret.trim().toWellFormed()
  return new Set([...encodedForms(secret), ...hexForms(trimmed)].flatMap(windows))
}

/** base64 also of the secret inside of JSON, as the credentials of container registries are kept. */
const encodedForms = (secret: string): string[] =>
  [...new Set([secret, secret.trim(), ...jsonForms(secret.trim()).slice(0, 3)])].flatMap(base64Forms)

/** Each also as a text inside of JSON; those of programs also in single quotes, as Python and Ruby quote what they got. */
function quotedForms(text: string): string[] {
  const ofPrograms = [jsonForms, yamlForms, shellForms, rubyForms].flatMap((formsIn) => formsIn(text))
  const others = [urlForms, htmlForms, byteForms].flatMap((formsIn) => formsIn(text))
  const all = [...ofPrograms, ...others]
  const quoted = [text, ...ofPrograms].flatMap((form) => [...inSingleQuotes(form), echoed(form)])
  return [...all, ...all.map(inJson), ...quoted]
}

/** As `echo` of a POSIX shell (dash) prints it: two backslashes are one. Where it makes new lines, each is known by itself. */
const echoed = (text: string): string => text.replaceAll(String.raw`\\`, '\\')

/** Python's `repr` escapes backslashes too, Puppet (Puppet::Pops::Types::StringConverter) only the quotes. */
const inSingleQuotes = (text: string): string[] => [
  text.replaceAll(/['\\]/g, String.raw`\$&`),
  text.replaceAll("'", String.raw`\'`),
]

/** As JavaScript, Go (Terraform's `jsonencode` escapes what HTML knows) and Python write it, and as JSON within JSON. */
function jsonForms(text: string): string[] {
  const plain = inJson(text)
  const unicode = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  const go = plain.replaceAll(/[<>&\u2028\u2029]/g, unicode)
  const forms = [plain, go, plain.replaceAll(/[^ -~]/g, unicode)]
  return [...forms, ...forms.map(inJson)]
}

const inJson = (text: string): string => JSON.stringify(text).slice(1, -1)

/** In single quotes a quote is doubled; in double quotes Python writes `\xE9` for what has one byte in Latin 1. */
function yamlForms(text: string): string[] {
  const python = inJson(text).replaceAll(/[^ -~]/g, (character) => {
    const code = character.charCodeAt(0)
    const digits = code.toString(16).toUpperCase()
    return code < 0x100 ? `\\x${digits.padStart(2, '0')}` : `\\u${digits.padStart(4, '0')}`
  })
  return [text.replaceAll("'", "''"), python]
}

/**
 * Percent encoding of paths and of forms (`+` for a space, `!'()*` encoded as Go and Python do, `/` left as Python and
 * Jinja leave it), in both cases.
 */
function urlForms(text: string): string[] {
  const lax = encodeURIComponent(text)
  const strict = lax.replaceAll(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
  const forms = [lax, strict, strict.replaceAll('%20', '+'), strict.replaceAll('%2F', '/')]
  return [...forms, ...forms.map((form) => form.replaceAll(/%../g, (code) => code.toLowerCase()))]
}

/** In single quotes as sh and Python's shlex write them, in double quotes, with backslashes as bash's `%q`. */
function shellForms(text: string): string[] {
  return [
    text.replaceAll("'", String.raw`'\''`),
    text.replaceAll("'", `'"'"'`),
    text.replaceAll(/["$`\\]/g, String.raw`\$&`),
    text.replaceAll(/[^\w@%+=:,./-]/g, String.raw`\$&`),
  ]
}

/** As Python and Jinja, Go, PHP, XML and JavaScript's libraries name the five characters. */
function htmlForms(text: string): string[] {
  const base = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
  const quotes = ['&quot;', '&#34;', '"']
  const apostrophes = ['&#39;', '&#x27;', '&#039;', '&apos;', "'"]
  return quotes.flatMap((quote) =>
    apostrophes.map((apostrophe) => base.replaceAll('"', quote).replaceAll("'", apostrophe)),
  )
}

/** In double quotes, as Puppet writes them, and as Ruby's `inspect` does, which keeps `#{` from meaning something. */
function rubyForms(text: string): string[] {
  return [text.replaceAll(/["$\\]/g, String.raw`\$&`), inJson(text).replaceAll(/#(?=[{$@])/g, String.raw`\#`)]
}

/** Bytes beyond ASCII by their numbers, as Python writes `bytes` (of JSON, too), git paths, and bash what it quotes by `$'…'`. */
function byteForms(text: string): string[] {
  const [quoted, json] = [inSingleQuotes(text), inJson(text)]
  const numbered = (form: string, one: (byte: number) => string): string =>
    form.replaceAll(/[^\0-\x7f]+/g, (part) => [...Buffer.from(part)].map(one).join(''))
  return [
    ...[text, ...quoted, ...inSingleQuotes(json)].map((form) => numbered(form, (byte) => `\\x${byte.toString(16)}`)),
    ...[text, ...quoted, json].map((form) => numbered(form, (byte) => `\\${byte.toString(8)}`)),
  ]
}

function hexForms(text: string): string[] {
  const hex = Buffer.from(text).toString('hex')
  return [hex, hex.toUpperCase()]
}

/**
 * base64 of the secret at each of the three places it can have in a longer text (`user:secret` in a header), without the
 * characters that its neighbours decide; and the lines into which `base64` (76) and `openssl` (64) break it.
 */
function base64Forms(secret: string): string[] {
  const bytes = Buffer.from(secret)
  const shifted = [0, 1, 2].map((before) => {
    const encoded = Buffer.concat([Buffer.alloc(before), bytes])
      .toString('base64')
      .replace(/=+$/, '')
    const end = (before + bytes.length) % 3 === 0 ? encoded.length : encoded.length - 1
    return encoded.slice(before === 0 ? 0 : before + 1, end)
  })
  const whole = bytes.toString('base64')
  const wrapped = [64, 76].filter((width) => whole.length > width).flatMap((width) => chunks(whole, width))
  return [whole, ...shifted, ...wrapped].flatMap((form) => [form, form.replaceAll('+', '-').replaceAll('/', '_')])
}

function chunks(text: string, width: number): string[] {
  return Array.from({ length: Math.ceil(text.length / width) }, (_, i) => text.slice(i * width, (i + 1) * width))
}

function windows(encoded: string): string[] {
  const until = Math.min(encoded.length, MAX_WINDOWED) - WINDOW
  return Array.from({ length: Math.max(0, until + 1) }, (_, at) => encoded.slice(at, at + WINDOW))
}
