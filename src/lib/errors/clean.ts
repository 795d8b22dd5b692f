import { stripVTControlCharacters } from 'node:util'
import type { Json } from '../json.ts'

/** What stands where a credential stood. */
const HIDDEN = '***'

/**
 * `scheme://userinfo@`, up to the last `@` of the authority. Too much is hidden rather than too little: quotes and other
 * characters that RFC 3986 does not allow in a URL may be part of a password that somebody did not encode.
 */
const USERINFO = /\b([a-z][a-z0-9+.-]{0,30}):\/\/([^\s/?#]{1,4096})@/gi
/** A password with a `/`, `?` or `#` that was not encoded either: what follows the colon is no port. */
const LOOSE_PASSWORD = /:\/\/[^\s/?#@:[]{1,256}:(?!\d{1,5}(?:[\s/?#]|$))[^\s@]{0,256}@/g
/** The same in a URL that is itself a parameter of another, encoded once or more. */
const ENCODED_USERINFO = /(%(?:25)*3a(?:%(?:25)*2f){2})((?:(?!%(?:25)*(?:2f|3f|23))[^\s/?#&]){1,4096})(%(?:25)*40)/gi
/** Parameters that are credentials in the APIs of forges, clouds and their signed addresses. */
const PARAMETER =
  /([?&;#][\w.[\]-]{0,64}?(?:token|secret|passw(?:or)?d|passphrase|signature|credentials?|(?:api|access|private|account|auth)[_-]?key(?:[_-]?id)?)|[?&;#](?:x[_-])?(?:sig|auth|oauth|authorization|pwd|pass|jwt)|[?&;#]AWSAccessKeyId)(=|%3d)([^\s&#;"'<>]{1,8192})/gi
/** Over ssh a user without a password is an address (`git@`), not a secret. */
const USER_IS_ADDRESS = /^(?:git\+)?(?:ssh|sftp)$/i

/** A text as it may be shown: without credentials in URLs, and without characters that steer a terminal. */
export function cleanText(text: string): string {
  return withoutControls(withoutCredentials(text))
}

/** The same for every string of a value, the names of members included. */
export function cleanJson<T extends Json>(value: T): T {
  return cleanAny(value) as T
}

function cleanAny(value: Json): Json {
  if (typeof value === 'string') return cleanText(value)
  if (Array.isArray(value)) return value.map(cleanAny)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [cleanText(name), cleanAny(member)]))
}

function withoutCredentials(text: string): string {
  let clean = text
  if (clean.includes('://')) {
    clean = clean
      .replace(USERINFO, (whole, scheme: string, userinfo: string) =>
        USER_IS_ADDRESS.test(scheme) && !/:|%3a/i.test(userinfo) ? whole : `${scheme}://${HIDDEN}@`,
      )
      .replace(LOOSE_PASSWORD, `://${HIDDEN}@`)
  }
  if (clean.includes('%')) clean = clean.replace(ENCODED_USERINFO, `$1${HIDDEN}$3`)
  return clean.includes('=') || /%3d/i.test(clean) ? clean.replace(PARAMETER, `$1$2${HIDDEN}`) : clean
}

// oxlint-disable-next-line no-control-regex -- they are what is looked for
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/
const ALL_CONTROLS = new RegExp(CONTROLS, 'g')

/**
 * Lines and tabs stay, colours go, a carriage return begins a line. Any other control character, and those that turn the
 * direction of writing, are shown by their number: a name that holds one must not look like the name without it.
 */
function withoutControls(text: string): string {
  if (!CONTROLS.test(text)) return text
  return stripVTControlCharacters(text)
    .replace(/\r\n?/g, '\n')
    .replace(ALL_CONTROLS, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
