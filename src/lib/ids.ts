import { randomBytes } from 'node:crypto'

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'
let lastTime = 0
let counter = 0
/** Values of two characters. */
const COUNTS = 32 * 32

/**
 * A new text id, `<prefix>_<time><counter><random>`: sorts in the order of making (also over restarts, by `continueAfter`) and is unguessable
 * enough never to collide (40 random bits beside a millisecond clock and a counter). Not a secret.
 */
export function newId(prefix: string, now: number = Date.now()): string {
  if (now > lastTime) {
    lastTime = now
    counter = 0
  } else if (++counter === COUNTS) {
    // A clock that stands still, or is behind for long: time goes on in the ids alone.
    lastTime += 1
    counter = 0
  }
  const time = lastTime
  return `${prefix}_${encode(time, 9)}${encode(counter, 2)}${randomText(8)}`
}

function encode(value: number, width: number): string {
  let text = ''
  for (let rest = value, i = 0; i < width; i++, rest = Math.floor(rest / 32)) text = ALPHABET[rest % 32] + text
  return text
}

/** Random bytes are asked for in stock: a call for eight of them costs as much as one for thousands. */
const stock = { bytes: Buffer.alloc(0), used: 0 }

function randomText(length: number): string {
  if (stock.used + length > stock.bytes.length) Object.assign(stock, { bytes: randomBytes(4096), used: 0 })
  let text = ''
  for (const end = stock.used + length; stock.used < end; stock.used++) text += ALPHABET[stock.bytes[stock.used]! % 32]
  return text
}

/** Lets every later id sort behind this one, which an earlier process may have made with a clock that was ahead. */
export function continueAfter(id: string): void {
  const start = id.indexOf('_') + 1
  const digits = Array.from(id.slice(start, start + 9), (character) => ALPHABET.indexOf(character))
  if (digits.length !== 9 || digits.includes(-1)) return
  lastTime = Math.max(lastTime, digits.reduce((time, digit) => time * 32 + digit, 0) + 1)
}
