import { createHash, hash } from 'node:crypto'
import { closeSync, constants, openSync, readSync } from 'node:fs'
import { digestOf, textOf } from '../../values/text.ts'

/** Which of Git's object formats content ids are in. */
export type IdFormat = 'sha1' | 'sha256'

/** Never through a symbolic link, never waiting for the writer of a fifo. */
const READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

/** Text up to this many bytes is shown in plans; more, and binary content, as a hash. */
export const SHOWN_BYTES = 64 * 1024

const HEADER = 32
const SMALL = 256 * 1024
/** Most configuration files fit: they are read with one call and hashed with one call. */
const buffer = Buffer.allocUnsafe(HEADER + SMALL)
const large = { chunk: null as Buffer | null }

/** Git's blob id of a file of about `size` bytes; equal ids are equal contents. Throws what the system call throws. */
export function fileId(path: string, size: number, format: IdFormat): string {
  const descriptor = openSync(path, READ)
  try {
    if (size < SMALL) {
      const length = readSync(descriptor, buffer, HEADER, SMALL, 0)
      if (length < SMALL) {
        const header = `blob ${length}\0`
        const start = HEADER - header.length
        buffer.write(header, start, 'latin1')
        return hash(format, buffer.subarray(start, HEADER + length), 'hex')
      }
    }
    return streamId(descriptor, size, format)
  } finally {
    closeSync(descriptor)
  }
}

/** Git's blob id of bytes. */
export function bytesId(bytes: Buffer, format: IdFormat): string {
  return createHash(format).update(`blob ${bytes.length}\0`).update(bytes).digest('hex')
}

/** The whole content of a file that holds at most `limit` bytes; null for a larger one. */
export function readSmall(path: string, limit: number): Buffer | null {
  const descriptor = openSync(path, READ)
  try {
    const bytes = Buffer.allocUnsafe(limit + 1)
    let length = 0
    for (;;) {
      const read = readSync(descriptor, bytes, length, bytes.length - length, length)
      if (read === 0) return Buffer.from(bytes.subarray(0, length))
      length += read
      if (length > limit) return null
    }
  } finally {
    closeSync(descriptor)
  }
}

/** What a plan shows of content: the text, or `sha256:… (N bytes)` for binary content and for more than `limit` bytes. */
export function shown(bytes: Buffer, limit: number = SHOWN_BYTES): string {
  const text = bytes.length <= limit ? textOf(bytes) : null
  return text ?? digestOf(hash('sha256', bytes, 'hex'), bytes.length)
}

/** Like `shown` for a file of any size, which is never held in memory as a whole. */
export function shownFile(path: string, limit: number = SHOWN_BYTES): string {
  const bytes = readSmall(path, limit)
  if (bytes) return shown(bytes)
  const descriptor = openSync(path, READ)
  try {
    const digest = createHash('sha256')
    const length = eachChunk(descriptor, (chunk) => digest.update(chunk))
    return digestOf(digest.digest('hex'), length)
  } finally {
    closeSync(descriptor)
  }
}

/** Calls back with every chunk of an open file from its start; returns the number of bytes. */
export function eachChunk(descriptor: number, use: (chunk: Buffer) => void): number {
  large.chunk ??= Buffer.allocUnsafe(1024 * 1024)
  let position = 0
  for (;;) {
    const length = readSync(descriptor, large.chunk, 0, large.chunk.length, position)
    if (length === 0) return position
    use(large.chunk.subarray(0, length))
    position += length
  }
}

/** A blob's header names its length, so a file that changes size while it is read is hashed as something else: drift. */
function streamId(descriptor: number, size: number, format: IdFormat): string {
  const digest = createHash(format).update(`blob ${size}\0`)
  eachChunk(descriptor, (chunk) => digest.update(chunk))
  return digest.digest('hex')
}
