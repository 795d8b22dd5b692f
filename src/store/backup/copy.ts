import { createHash } from 'node:crypto'
import { type FileHandle, mkdir, open, readdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { BackupFile } from './manifest.ts'
import { syncDirectory } from '../../lib/durable-file.ts'

const CHUNK = 1024 * 1024

/** Copies one regular file durably and says what was copied. `mode` is kept, without set-id bits. */
export async function copyFile(from: string, to: string, path: string): Promise<BackupFile> {
  const source = await open(from, 'r')
  try {
    const mode = (await source.stat()).mode & 0o777
    const target = await open(to, 'w', mode)
    try {
      await target.chmod(mode)
      return { path, mode, ...(await pour(source, target)) }
    } finally {
      await target.close()
    }
  } finally {
    await source.close()
  }
}

async function pour(source: FileHandle, target: FileHandle): Promise<{ size: number; sha256: string }> {
  const hash = createHash('sha256')
  const buffer = Buffer.allocUnsafe(CHUNK)
  let size = 0
  for (;;) {
    const { bytesRead } = await source.read(buffer, 0, CHUNK)
    if (bytesRead === 0) break
    const chunk = buffer.subarray(0, bytesRead)
    hash.update(chunk)
    await target.writeFile(chunk)
    size += bytesRead
  }
  await target.sync()
  return { size, sha256: hash.digest('hex') }
}

/**
 * Copies a bare repository while pushes go on. Refs go first and objects last, so that whatever a copied ref names is
 * copied after it; loose objects before packs, because a repack turns the one into the other. Where files vanish
 * meanwhile (a repack, a deleted branch) the round is repeated; objects that are there already are not copied again.
 */
export async function copyRepository(from: string, to: string, path: string): Promise<CopiedTree> {
  const files = new Map<string, BackupFile>()
  for (let round = 1; ; round++) {
    // What a deleted branch left behind must go, or the copy would bring the branch back.
    for (const known of files.keys()) if (!isObject(known)) files.delete(known)
    const directories = new Set<string>()
    const vanished = await copyRound({ from, to, inside: '' }, files, directories)
    if (!vanished)
      return {
        files: [...files.values()].map((file) => ({ ...file, path: `${path}/${file.path}` })),
        directories: [...directories].map((inside) => `${path}/${inside}`.slice(0, -1)),
      }
    if (round === 20) throw new Error(`${from} does not hold still: files vanished in each of ${round} rounds`)
  }
}

export interface CopiedTree {
  files: BackupFile[]
  directories: string[]
}

interface Place {
  from: string
  to: string
  /** Path inside the repository, empty or with a slash at its end. */
  inside: string
}

const isObject = (inside: string): boolean => inside.startsWith('objects/')
/** Git's unfinished files: locks of refs, and what is being received. */
const isTemporary = (inside: string): boolean =>
  inside.endsWith('.lock') || (isObject(inside) && /(^|\/)(tmp_|incoming-|\.tmp-)/.test(inside))

const ORDER = ['refs', 'packed-refs', 'objects']
const rank = (name: string): number => (name === 'pack' ? 4 : name === 'refs' ? 0 : ORDER.indexOf(name) + 2)

/** True when something that was listed was gone when its turn came. */
async function copyRound(place: Place, files: Map<string, BackupFile>, directories: Set<string>): Promise<boolean> {
  const entries = await readdir(join(place.from, place.inside), { withFileTypes: true }).catch(gone)
  if (!entries) return true
  await mkdir(join(place.to, place.inside), { recursive: true, mode: 0o700 })
  directories.add(place.inside)
  let vanished = false
  for (const entry of entries.sort((a, b) => rank(a.name) - rank(b.name))) {
    const inside = `${place.inside}${entry.name}`
    if (isTemporary(inside) || (isObject(inside) && files.has(inside))) continue
    const source = join(place.from, inside)
    // A linked hook is copied as the file that it points at.
    const kind = entry.isSymbolicLink() ? await stat(source).catch(gone) : entry
    if (kind?.isDirectory())
      vanished = (await copyRound({ ...place, inside: `${inside}/` }, files, directories)) || vanished
    else if (kind?.isFile()) {
      const file = await copyFile(source, join(place.to, inside), inside).catch(gone)
      if (file) files.set(inside, file)
      else vanished = true
    }
  }
  await syncDirectory(join(place.to, place.inside))
  return vanished
}

/** For what may be removed while it is copied. */
export const gone = (error: NodeJS.ErrnoException): undefined => {
  if (error.code !== 'ENOENT') throw error
}

/** Copies a file of a manifest to `to`, making its directories. Undefined when it is not what the manifest says. */
export async function restoreFile(from: string, to: string, file: BackupFile): Promise<BackupFile | undefined> {
  const target = join(to, file.path)
  await mkdir(dirname(target), { recursive: true, mode: 0o700 })
  const copied = await copyFile(join(from, file.path), target, file.path)
  return copied.sha256 === file.sha256 && copied.size === file.size ? copied : undefined
}
