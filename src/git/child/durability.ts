import { open, readdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** Directory times have the resolution of the file system's clock tick. */
const TICK_MS = 50

/**
 * Git syncs files but never the directories that name them, so after a power cut a file that was acknowledged may be
 * without its name. `settle` syncs those directories: of the given refs, of packs, and of loose objects that changed since the last time.
 */
export interface Durability {
  settle(gitDirectory: string, refs: readonly string[]): Promise<void>
}

export function createDurability(): Durability {
  const settledAt = new Map<string, number>()
  return {
    async settle(gitDirectory, refs) {
      const since = settledAt.get(gitDirectory) ?? 0
      const now = Date.now() - TICK_MS
      const objects = join(gitDirectory, 'objects')
      const loose = (await readdir(objects)).filter((name) => name.length === 2).map((name) => join(objects, name))
      const fresh = await Promise.all(loose.map(async (path) => ((await changedSince(path, since)) ? path : null)))
      const directories = new Set([gitDirectory, objects, join(objects, 'pack')])
      for (const path of fresh) if (path) directories.add(path)
      for (const ref of refs) {
        for (let path = dirname(ref); path !== '.'; path = dirname(path)) directories.add(join(gitDirectory, path))
      }
      for (const path of directories) await syncPath(path)
      settledAt.set(gitDirectory, now)
    },
  }
}

async function changedSince(path: string, since: number): Promise<boolean> {
  try {
    return (await stat(path)).mtimeMs >= since
  } catch {
    return false
  }
}

/** Syncs a file or a directory; one that has gone meanwhile needs none. */
export async function syncPath(path: string): Promise<void> {
  let handle
  try {
    handle = await open(path, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
