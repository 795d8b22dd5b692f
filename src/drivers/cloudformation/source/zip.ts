import { lstat, readdir, readFile, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { AsyncZippable } from 'fflate'
import { TrueupError } from '../../../lib/errors/error.ts'

/** Lambda takes 250 MB unpacked; ten times that is a mistake. */
const MAX_BYTES = 256 * 1024 * 1024
/** The oldest time that a zip can hold, in local time as zips have it: the same files make the same bytes, whenever and wherever they are packed. */
const epoch = (): Date => new Date(1980, 0, 1)
/** Attributes of Unix files in zips are the mode in the upper half. */
const attributes = (mode: number): number => (mode << 16) >>> 0
const UNIX = 3

/**
 * Packs a directory (or one file) as a zip whose bytes depend only on names, contents and the executable bit.
 * Versioning data and the environments of package managers are left out. TOO_LARGE above 256 MiB.
 */
export async function packed(path: string): Promise<Buffer> {
  const { strToU8, zip } = await import('fflate')
  const files: AsyncZippable = {}
  let bytes = 0
  const add = (name: string, content: Uint8Array, mode: number): void => {
    bytes += content.length
    if (bytes > MAX_BYTES) {
      throw new TrueupError('TOO_LARGE', {
        doing: `packing ${path}`,
        why: `it is larger than ${MAX_BYTES / 1024 / 1024} MiB`,
      })
    }
    files[name] = [content, { mtime: epoch(), os: UNIX, attrs: attributes(mode), level: 9 }]
  }
  const walk = async (directory: string, prefix: string): Promise<void> => {
    const entries = await readdir(directory, { withFileTypes: true })
    for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      if (LEFT_OUT.has(entry.name)) continue
      const name = `${prefix}${entry.name}`
      const full = join(directory, entry.name)
      if (entry.isDirectory()) await walk(full, `${name}/`)
      else if (entry.isSymbolicLink()) add(name, strToU8(await readlink(full)), 0o120777)
      else if (entry.isFile())
        add(name, await readFile(full), ((await lstat(full)).mode & 0o111) !== 0 ? 0o100755 : 0o100644)
    }
  }
  const top = await lstat(path)
  if (top.isDirectory()) await walk(path, '')
  else add(path.split('/').at(-1) ?? 'file', await readFile(path), 0o100644)
  return new Promise((resolve, reject) => {
    zip(files, { mtime: epoch() }, (error, data) => (error ? reject(error) : resolve(Buffer.from(data))))
  })
}

const LEFT_OUT = new Set(['.git', '.DS_Store', '__pycache__', '.aws-sam'])
