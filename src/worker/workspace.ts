import { chmodSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmdirSync, statfsSync } from 'node:fs'
import { chmod, mkdir, readdir, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { createHash } from 'node:crypto'
import type { Logger } from './logging.ts'

/** https://man7.org/linux/man-pages/man2/statfs.2.html */
const TMPFS_MAGIC = 0x01021994
/** Below this a tmpfs is left to others: workspaces in a full one fail, and it is memory. */
const MIN_ROOM_BYTES = 1024 ** 3
const SHARED_MEMORY = '/dev/shm'

/** Directories of one run (or watch); all of it goes when it is over. */
export interface Workspace {
  /** Everything below goes with `remove`. */
  root: string
  /** Where the files of the repository come to stand. */
  tree: string
  scratch: string
  /** Symlinks of the commit that lead out of the tree and are not made in it, path → target. */
  keptLinks?: ReadonlyMap<string, string>
}

/** Makes, and clears away, the private directories in which runs take place. */
export interface Workspaces {
  readonly directory: string
  create(name: string): Promise<Workspace>
  remove(workspace: Workspace): Promise<void>
  /** Removes what an earlier runner left; what cannot be removed is logged and left. */
  removeStale(): Promise<void>
  /** At an orderly end: takes the directory itself away when nothing is left in it. */
  close(): void
}

/**
 * Where workspaces go when nobody says: a tmpfs (0.3 ms per workspace measured, 300 ms on a disk) that has room, allows
 * programs to run, and where this data directory's own folder belongs to this user; else below the data directory.
 */
export function defaultWorkspaces(data: string): string {
  const onDisk = join(data, 'workspaces')
  const name = createHash('sha256').update(resolve(data)).digest('hex').slice(0, 12)
  const inMemory = join(SHARED_MEMORY, `trueup-${process.getuid?.() ?? 0}-${name}`)
  return hasRoom(SHARED_MEMORY) && allowsPrograms(SHARED_MEMORY) && ownDirectory(inMemory) ? inMemory : onDisk
}

export function openWorkspaces(directory: string, log: Logger): Workspaces {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  chmodSync(directory, 0o700)
  const removeRoot = async (root: string) => {
    const mounts = mountsBelow(root)
    if (mounts.length > 0) {
      log.error({ root, mounts }, 'workspace not removed: something is mounted in it')
      return
    }
    await removeTree(root).catch((error: unknown) => log.error({ root, err: error }, 'workspace not removed'))
  }
  return {
    directory,
    async create(name) {
      const root = join(directory, name.replaceAll(/[^\w.-]/g, '_'))
      await removeRoot(root)
      await mkdir(root, { mode: 0o700 })
      const workspace = { root, tree: join(root, 'tree'), scratch: join(root, 'scratch') }
      await mkdir(workspace.scratch, { mode: 0o700 })
      return workspace
    },
    remove: ({ root }) => removeRoot(root),
    async removeStale() {
      for (const name of readdirSync(directory)) await removeRoot(join(directory, name))
    },
    close() {
      try {
        rmdirSync(directory)
      } catch {
        // Somebody's work is still in it, or it is gone already.
      }
    },
  }
}

/** Tools leave read-only directories behind (module caches): those are made writable and tried again. */
async function removeTree(root: string): Promise<void> {
  try {
    await rm(root, { recursive: true, force: true })
  } catch (thrown) {
    if (!['EACCES', 'EPERM', 'ENOTEMPTY'].includes((thrown as NodeJS.ErrnoException).code ?? '')) throw thrown
    await makeWritable(root)
    await rm(root, { recursive: true, force: true, maxRetries: 3 })
  }
}

async function makeWritable(directory: string): Promise<void> {
  await chmod(directory, 0o700)
  for (const entry of await readdir(directory, { withFileTypes: true }))
    if (entry.isDirectory()) await makeWritable(join(directory, entry.name))
}

/** Mount points at or below a directory: removing "a workspace" must never empty somebody's mounted disk. */
export function mountsBelow(directory: string): string[] {
  return mountTable()
    .map(({ point }) => point)
    .filter((point) => point === directory || point.startsWith(`${directory}/`))
}

/** proc(5), `/proc/pid/mounts`: blanks in paths are written as octal. */
function mountTable(): { point: string; options: string[] }[] {
  let text: string
  try {
    text = readFileSync('/proc/self/mounts', 'utf8')
  } catch {
    return []
  }
  return text.split('\n').flatMap((line) => {
    const [, point, , options] = line.split(' ')
    if (!point || !options) return []
    const plain = point.replaceAll(/\\([0-7]{3})/g, (_, octal: string) =>
      String.fromCharCode(Number.parseInt(octal, 8)),
    )
    return [{ point: plain, options: options.split(',') }]
  })
}

function hasRoom(directory: string): boolean {
  try {
    const { type, bavail, bsize } = statfsSync(directory)
    return type === TMPFS_MAGIC && bavail * bsize >= MIN_ROOM_BYTES
  } catch {
    return false
  }
}

/** Container engines mount /dev/shm noexec: scripts of a repository could not be run there. */
const allowsPrograms = (point: string): boolean =>
  mountTable().some((mount) => mount.point === point && !mount.options.includes('noexec'))

/** /dev/shm is everybody's: somebody else may have made a directory of this name. */
function ownDirectory(path: string): boolean {
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'EEXIST') return false
  }
  const stat = lstatSync(path)
  return stat.isDirectory() && stat.uid === process.getuid?.() && (stat.mode & 0o077) === 0
}
