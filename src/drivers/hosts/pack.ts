import { lstat, readdir, readFile, readlink } from 'node:fs/promises'
import { posix } from 'node:path'
import { pack } from 'tar-stream'
import { TrueupError } from '../../lib/errors/error.ts'

const MAX_BYTES = 256 * 1024 * 1024
const EPOCH = new Date(0)

/**
 * Directories and files of the worker as one tar, each under the name that it gets. Modes are kept, owners and times are
 * not. What is not there is left out; so is `.git`.
 * @throws TOO_LARGE above 256 MiB
 */
export async function packDirectories(roots: readonly { from: string; to: string }[]): Promise<Buffer> {
  const tar = pack()
  const chunks: Buffer[] = []
  tar.on('data', (chunk) => chunks.push(chunk as Buffer))
  const finished = new Promise<void>((resolve, reject) => tar.once('end', resolve).once('error', reject))
  let size = 0

  const add = async (from: string, to: string): Promise<void> => {
    const stats = await lstat(from).catch(() => null)
    if (stats === null) return
    const header = { name: to, mode: stats.mode & 0o777, mtime: EPOCH }
    if (stats.isSymbolicLink()) tar.entry({ ...header, type: 'symlink', linkname: await readlink(from) })
    else if (stats.isDirectory()) {
      tar.entry({ ...header, type: 'directory' })
      for (const name of (await readdir(from)).toSorted()) {
        if (name !== '.git') await add(posix.join(from, name), posix.join(to, name))
      }
    } else if (stats.isFile()) {
      size += stats.size
      if (size > MAX_BYTES) throw tooLarge()
      tar.entry(header, await readFile(from))
    }
  }
  for (const { from, to } of roots) await add(from, posix.normalize(to).replace(/\/$/, ''))
  tar.finalize()
  await finished
  return Buffer.concat(chunks)
}

const tooLarge = (): TrueupError =>
  new TrueupError('TOO_LARGE', {
    doing: 'packing the source for a host',
    why: `it is larger than ${MAX_BYTES / 1024 / 1024} MiB`,
    next: 'Split the stack, or keep large files elsewhere.',
  })
