import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** Lock files that git makes at the top of a bare repository. */
const TOP_LOCKS = [
  'HEAD.lock',
  'packed-refs.lock',
  'config.lock',
  'shallow.lock',
  'gc.pid.lock',
  'packed-refs.new',
  'objects/pack/multi-pack-index.lock',
  'objects/info/commit-graphs/commit-graph-chain.lock',
]

/**
 * Removes what git leaves when it is killed: lock files, which would block their ref for ever, and the half received
 * objects of a push. Only what is at least `minAgeMs` old: git holds a lock for milliseconds, so an old one has no owner.
 * @returns paths relative to the repository
 */
export async function sweepRepository(gitDirectory: string, minAgeMs: number): Promise<string[]> {
  const candidates = [...TOP_LOCKS, ...(await lockFiles(gitDirectory, 'refs')), ...(await incoming(gitDirectory))]
  const removed: string[] = []
  for (const path of candidates) {
    if (!(await isOld(join(gitDirectory, path), minAgeMs))) continue
    await rm(join(gitDirectory, path), { recursive: true, force: true })
    removed.push(path)
  }
  return removed
}

async function lockFiles(gitDirectory: string, directory: string): Promise<string[]> {
  const found: string[] = []
  for (const entry of await entriesOf(join(gitDirectory, directory))) {
    const path = `${directory}/${entry.name}`
    if (entry.isDirectory()) found.push(...(await lockFiles(gitDirectory, path)))
    else if (entry.name.endsWith('.lock')) found.push(path)
  }
  return found
}

async function incoming(gitDirectory: string): Promise<string[]> {
  const found: string[] = []
  for (const { name } of await entriesOf(join(gitDirectory, 'objects'))) {
    if (name.startsWith('tmp_objdir-')) found.push(`objects/${name}`)
  }
  for (const { name } of await entriesOf(join(gitDirectory, 'objects/pack'))) {
    // `.tmp-` is what a repack writes before it is complete.
    if (name.startsWith('tmp_') || name.startsWith('.tmp-')) found.push(`objects/pack/${name}`)
  }
  return found
}

async function entriesOf(directory: string) {
  try {
    return await readdir(directory, { withFileTypes: true })
  } catch {
    return []
  }
}

async function isOld(path: string, minAgeMs: number): Promise<boolean> {
  try {
    return Date.now() - (await stat(path)).mtimeMs >= minAgeMs
  } catch {
    return false
  }
}
