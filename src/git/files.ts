import { TrueupError } from '../lib/errors/error.ts'
import { checkOid } from './names.ts'
import type { ObjectReader } from './objects.ts'
import { pathComponents } from './paths.ts'
import type { FileEntry, GitRepository, PathEntry } from './repository.ts'
import { changedPaths, pathOids, walkTree } from './tree-walk.ts'
import { objectMissing, type TreeReader } from './trees.ts'

type Files = Pick<
  GitRepository,
  'readTrees' | 'readFile' | 'readBlob' | 'listFiles' | 'listDirectories' | 'pathOids' | 'changedPaths'
>

const DEFAULT_MAX_BYTES = 16 * 1024 * 1024

/** Everything that reads what a tree holds. */
export function createFiles(objects: ObjectReader, trees: TreeReader): Files {
  const entriesAt = async (commitOrTree: string, paths: readonly string[]): Promise<Map<string, PathEntry | null>> => {
    checkOid(commitOrTree, 'looking up paths')
    return await pathOids(trees, commitOrTree, paths, async () => {
      const [info] = await objects.info([`${commitOrTree}^{tree}`])
      if (!info) throw objectMissing(commitOrTree)
      return info.oid
    })
  }
  const readBlob: GitRepository['readBlob'] = async (oid, path, maxBytes = DEFAULT_MAX_BYTES) => {
    const [object] = await objects.read([checkOid(oid, `reading ${path}`)], maxBytes)
    if (object?.found) return object.content
    if (object?.reason !== 'too-large') throw objectMissing(oid)
    throw new TrueupError('TOO_LARGE', {
      doing: `reading ${path}`,
      why: `it has ${object.size} bytes, and ${maxBytes} are allowed`,
      details: { path, size: object.size, limit: maxBytes },
    })
  }
  return {
    async readTrees(oids) {
      for (const oid of oids) checkOid(oid, 'reading trees')
      return await trees.readTrees(oids)
    },
    async readFile(commitOrTree, path, maxBytes = DEFAULT_MAX_BYTES) {
      const entry = (await entriesAt(commitOrTree, [path])).get(path)
      if (entry?.type !== 'blob' || entry.mode === '120000') return null
      return await readBlob(entry.oid, path, maxBytes)
    },
    readBlob,
    async listFiles(commitOrTree, directory = '', options = {}) {
      const prefix = pathComponents(directory, 'listing files').join('/')
      const root =
        prefix === '' ? checkOid(commitOrTree, 'listing files') : (await entriesAt(commitOrTree, [prefix])).get(prefix)
      if (!root || (typeof root === 'object' && root.type !== 'tree')) return []
      const files: FileEntry[] = []
      await walkTree(trees, typeof root === 'string' ? root : root.oid, prefix, ({ path, entry }) => {
        if (entry.type !== 'tree') files.push({ path, mode: entry.mode, oid: entry.oid })
      })
      files.sort((a, b) => (a.path < b.path ? -1 : 1))
      if (options.sizes) {
        const measured = files.filter((file) => file.mode !== '160000')
        const infos = await objects.info(measured.map((file) => file.oid))
        for (const [index, file] of measured.entries()) file.size = infos[index]?.size ?? 0
      }
      return files
    },
    async listDirectories(commitOrTree) {
      const directories: string[] = []
      await walkTree(trees, checkOid(commitOrTree, 'listing directories'), '', ({ path, entry }) => {
        if (entry.type === 'tree') directories.push(path)
      })
      return directories.sort()
    },
    pathOids: entriesAt,
    changedPaths: async (base, head) =>
      changedPaths(trees, checkOid(base, 'comparing trees'), checkOid(head, 'comparing trees')),
  }
}
