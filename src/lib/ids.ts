import { randomBytes } from 'node:crypto'

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'
let lastTime = 0
let counter = 0

/**
 * A new text id, `<prefix>_<time><counter><random>`: sorts by creation time within one process and is unguessable
 * enough never to collide (40 random bits beside a millisecond clock and a counter). Not a secret.
 */
export function newId(prefix: string, now: number = Date.now()): string {
  const time = Math.max(now, lastTime)
  counter = time === lastTime ? counter + 1 : 0
  lastTime = time
  return `${prefix}_${encode(time, 9)}${encode(counter, 2)}${randomText(8)}`
}

function encode(value: number, width: number): string {
  let text = ''
  for (let rest = value, i = 0; i < width; i++, rest = Math.floor(rest / 32)) text = ALPHABET[rest % 32] + text
  return text
}

function randomText(length: number): string {
  return Array.from(randomBytes(length), (byte) => ALPHABET[byte % 32]).join('')
}
