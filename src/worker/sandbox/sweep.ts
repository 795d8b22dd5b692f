import { opendir, readlink, realpath, rm } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { isBelow } from './view.ts'

/**
 * Takes away what a tool in a sandbox could have left for the worker to stumble over, who reads and writes in these
 * directories and sees more than the tool did: links that lead out of them (but to the system's programs, deeper in), and
 * pipes among the files of the repository, which never end. They may link to each other.
 * @returns the paths that were removed
 */
export async function sweep(tree: string, directories: readonly string[]): Promise<string[]> {
  const own = await Promise.all(directories.map((path) => realpath(path)))
  const treeIn = await realpath(tree).catch(() => tree)
  const removed: string[] = []
  for (const queue = own.map((path) => ({ path, depth: 0 })); queue.length > 0; ) {
    const { path: directory, depth } = queue.pop()!
    const entries = await opendir(directory).catch(() => null)
    if (entries === null) continue
    for await (const entry of entries) {
      const path = join(directory, entry.name)
      if (entry.isDirectory()) queue.push({ path, depth: depth + 1 })
      else if (entry.isSymbolicLink() ? await leadsOut(path, depth, own) : isPipe(entry) && isBelow(path, treeIn)) {
        await rm(path, { force: true })
        removed.push(path)
      }
    }
  }
  return removed
}

/** The worker's own files stand at most this deep; below, links of a Python environment or a provider are left. */
const WORKERS_DEPTH = 2
const SYSTEM = /^\/(usr|bin|sbin|lib|lib64|opt)\//

/** By what the kernel finds behind it; one that leads nowhere by what stands in it, since a write through it makes the file. */
async function leadsOut(path: string, depth: number, own: readonly string[]): Promise<boolean> {
  const inside = (target: string): boolean => own.some((root) => isBelow(target, root))
  const real = await realpath(path).catch(() => null)
  if (real !== null) return !inside(real) && (depth <= WORKERS_DEPTH || !SYSTEM.test(real))
  const target = await readlink(path).catch(() => '/')
  return target.split('/').includes('..') || !inside(resolve(dirname(path), target))
}

const isPipe = (entry: { isFIFO(): boolean; isSocket(): boolean }): boolean => entry.isFIFO() || entry.isSocket()
