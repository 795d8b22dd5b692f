import { isUtf8 } from 'node:buffer'
import { TrueupError } from '../lib/errors/error.ts'

/**
 * Git names are bytes; ours are strings. A name that is valid UTF-8 is itself. In any other name every byte that is not
 * part of valid UTF-8 becomes U+FFFD followed by two hex digits, and so do the bytes of a literal U+FFFD, so that no two
 * names give the same string, the string survives JSON and databases, and `encodePath` gives the bytes back.
 */
export function decodePath(bytes: Buffer): string {
  if (isUtf8(bytes)) {
    const text = bytes.toString('utf8')
    return text.includes('\ufffd') ? text.replaceAll('\ufffd', '\ufffdEF\ufffdBF\ufffdBD') : text
  }
  let text = ''
  for (let at = 0; at < bytes.length; ) {
    const length = characterLength(bytes, at)
    if (length > 0) text += bytes.toString('utf8', at, at + length)
    else text += escapeByte(bytes[at]!)
    at += length || 1
  }
  return text
}

export function encodePath(path: string): Buffer {
  if (!path.includes('\ufffd')) return Buffer.from(path, 'utf8')
  const parts = path.split(/\ufffd([0-9A-F]{2})/)
  return Buffer.concat(parts.map((part, index) => Buffer.from(part, index % 2 === 0 ? 'utf8' : 'hex')))
}

const escapeByte = (byte: number): string => `\ufffd${byte.toString(16).toUpperCase().padStart(2, '0')}`

/** Bytes of the valid character that starts here; 0 where none does, and for U+FFFD itself. */
function characterLength(bytes: Buffer, at: number): number {
  const lead = bytes[at]!
  const length = lead < 0x80 ? 1 : lead < 0xc0 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf8 ? 4 : 0
  if (length === 0 || at + length > bytes.length) return 0
  const character = bytes.subarray(at, at + length)
  return isUtf8(character) && character.toString('utf8') !== '\ufffd' ? length : 0
}

/** `.` and the empty string are the root; anything else is split into its components. PATH_OUTSIDE for unsafe ones. */
export function pathComponents(path: string, doing: string): string[] {
  if (path === '' || path === '.') return []
  const components = path.split('/')
  const bad = components.find((component) => !isSafeName(component))
  if (bad === undefined) return components
  throw new TrueupError('PATH_OUTSIDE', {
    doing,
    why: `${JSON.stringify(path)} is not a path inside the repository${bad === '' ? '' : `: ${JSON.stringify(bad)} is not allowed in it`}`,
    next: 'Use a relative path with `/` between names and without `.`, `..` or `.git`.',
  })
}

/** Whether one path component may be written to a disk: no separators, no way up, nothing that Git reads as its own. */
export function isSafeName(name: string): boolean {
  return (
    name !== '' &&
    name !== '.' &&
    name !== '..' &&
    name.toLowerCase() !== '.git' &&
    !name.includes('/') &&
    !name.includes('\0')
  )
}

/** For command lines, which carry only UTF-8. */
export function commandLinePath(path: string, doing: string): string {
  const components = pathComponents(path, doing)
  if (!path.includes('\ufffd')) return components.join('/') || '.'
  throw new TrueupError('INVALID_REQUEST', {
    doing,
    why: `the name ${JSON.stringify(path)} is not UTF-8, and git takes no such names on its command line`,
    next: 'Use the directory above it.',
  })
}
