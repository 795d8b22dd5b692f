import { type Literals, literals, type Place, SHORTEST_LITERAL } from '../../lib/literals.ts'

/** Hides secrets in everything that leaves the worker as text. */
export interface Masker {
  /** From now on `secret` and the forms tools print it in are replaced by `***`. */
  add: (secret: string) => void
  text: (text: string) => string
  /** Every string inside a JSON-like value. */
  deep<T>(value: T): T
  /** Masks a text that comes in pieces: what may be the beginning of a secret is held back until the next piece. */
  stream(): MaskStream
}

export interface MaskStream {
  push(text: string): string
  /** What was held back. */
  flush(): string
}

const MASK = '***'
/** Shorter ones ("1", "yes") would tear every log apart; documented in docs/secrets. */
const SHORTEST = SHORTEST_LITERAL
/** Derived forms (a line of a key, base64) must be long enough not to be ordinary text. */
const SHORTEST_DERIVED = 8
/** A secret that repeats itself could hold text back for ever. */
const MAX_HELD = 64 * 1024

export function createMasker(): Masker {
  const forms = literals()
  const seen = new Set<string>()
  const text = (plain: string) => replace(plain, forms.find(plain), plain.length)
  return {
    add(secret) {
      if (secret.trim().length < SHORTEST || seen.has(secret)) return
      seen.add(secret)
      for (const form of formsOf(secret)) forms.add(form)
    },
    text,
    deep: (value) => mapStrings(value, text),
    stream: () => maskStream(forms),
  }
}

function maskStream(forms: Literals): MaskStream {
  let held = ''
  return {
    push(text) {
      const all = held + text
      const found = forms.find(all)
      let until = forms.beginningAt(all)
      // A secret that was found must not be cut: another one may begin in it and go on in the next piece.
      for (const [from, to] of found) if (from < until && until < to) until = from
      if (all.length - until > MAX_HELD) until = all.length
      held = all.slice(until)
      return replace(all, found, until)
    },
    flush() {
      const rest = replace(held, forms.find(held), held.length)
      held = ''
      return rest
    },
  }
}

function replace(text: string, found: readonly Place[], until: number): string {
  let result = ''
  let at = 0
  for (const [from, to] of found) {
    if (from >= until) break
    result += text.slice(at, from) + MASK
    at = to
  }
  return at >= until ? result : result + text.slice(at, until)
}

/** The forms in which tools print a secret. */
function formsOf(secret: string): string[] {
  const trimmed = secret.trim().toWellFormed()
  const lines = trimmed.split(/\r?\n/)
  const derived = [
    ...(lines.length > 1 ? lines.map((line) => line.trim()) : []),
    ...jsonForms(trimmed),
    ...urlForms(trimmed),
    ...base64Forms(secret),
    ...base64Forms(trimmed),
    Buffer.from(trimmed).toString('hex'),
  ]
  return [secret, trimmed, ...derived.filter((form) => form.length >= SHORTEST_DERIVED)]
}

/** As JavaScript, Go (Terraform's `jsonencode` escapes what HTML knows) and Python write it, and as JSON within JSON. */
function jsonForms(text: string): string[] {
  const plain = inJson(text)
  const unicode = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  const go = plain.replaceAll(/[<>&\u2028\u2029]/g, unicode)
  return [plain, go, plain.replaceAll(/[^ -~]/g, unicode), inJson(plain), inJson(go)]
}

const inJson = (text: string): string => JSON.stringify(text).slice(1, -1)

/** Percent encoding of paths and of forms (`+` for a space, `!'()*` encoded as Go and Python do), in both cases. */
function urlForms(text: string): string[] {
  const lax = encodeURIComponent(text)
  const strict = lax.replaceAll(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
  const forms = [lax, strict, strict.replaceAll('%20', '+')]
  return [...forms, ...forms.map((form) => form.replaceAll(/%../g, (code) => code.toLowerCase()))]
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

function mapStrings<T>(value: T, change: (text: string) => string): T {
  if (typeof value === 'string') return change(value) as T
  if (Array.isArray(value)) return value.map((member: unknown) => mapStrings(member, change)) as T
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, mapStrings(member, change)])) as T
}
