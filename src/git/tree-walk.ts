import { TrueupError } from '../lib/errors/error.ts'
import { pathComponents } from './paths.ts'
import type { PathEntry, TreeEntry } from './repository.ts'
import { entryNamed, type TreeReader } from './trees.ts'

/** What was asked for below one directory. */
interface Wanted {
  paths: string[]
  below: Map<string, Wanted>
}

const TREE_MODE = '040000'

/** What each path names. Goes down level by level, so the round trips are as many as the deepest path has components. */
export async function pathOids(
  trees: TreeReader,
  root: string,
  paths: readonly string[],
  rootOid: () => Promise<string>,
): Promise<Map<string, PathEntry | null>> {
  const results = new Map<string, PathEntry | null>(paths.map((path) => [path, null]))
  const wanted: Wanted = { paths: [], below: new Map() }
  for (const path of results.keys()) {
    let at = wanted
    for (const component of pathComponents(path, 'looking up a path')) {
      let below = at.below.get(component)
      if (!below) at.below.set(component, (below = { paths: [], below: new Map() }))
      at = below
    }
    at.paths.push(path)
  }
  if (wanted.paths.length > 0) {
    const oid = await rootOid()
    for (const path of wanted.paths) results.set(path, { oid, mode: TREE_MODE, type: 'tree' })
  }
  let level = wanted.below.size > 0 ? [{ oid: root, wanted }] : []
  while (level.length > 0) {
    const read = await trees.readTrees(level.map((directory) => directory.oid))
    const next: typeof level = []
    for (const directory of level) {
      const entries = read.get(directory.oid)!
      for (const [name, below] of directory.wanted.below) {
        const entry = entryNamed(entries, name)
        if (!entry) continue
        for (const path of below.paths) results.set(path, { oid: entry.oid, mode: entry.mode, type: entry.type })
        if (entry.type === 'tree' && below.below.size > 0) next.push({ oid: entry.oid, wanted: below })
      }
    }
    level = next
  }
  return results
}

export interface WalkedEntry {
  path: string
  entry: TreeEntry
}

/** A tree can name one subtree many times, level by level: a few objects then stand for millions of paths. */
const MAX_WALKED = 1_000_000

/** Everything below a tree, directories too, level by level; `prefix` is the tree's own path. TOO_LARGE beyond a million. */
export async function walkTree(
  trees: TreeReader,
  root: string,
  prefix: string,
  visit: (walked: WalkedEntry, depth: number) => void,
): Promise<void> {
  let level = [{ oid: root, prefix: prefix === '' ? '' : `${prefix}/` }]
  let walked = 0
  for (let depth = 1; level.length > 0; depth++) {
    const read = await trees.readTrees(level.map((directory) => directory.oid))
    const next: typeof level = []
    for (const directory of level) {
      for (const entry of read.get(directory.oid)!) {
        const path = directory.prefix + entry.name
        if (++walked > MAX_WALKED) throw tooMany(root)
        visit({ path, entry }, depth)
        if (entry.type === 'tree') next.push({ oid: entry.oid, prefix: `${path}/` })
      }
    }
    level = next
  }
}

/** Paths of everything but directories that differs between two trees. */
export async function changedPaths(trees: TreeReader, base: string, head: string): Promise<string[]> {
  const changed: string[] = []
  let level: { base: string | null; head: string | null; prefix: string }[] =
    base === head ? [] : [{ base, head, prefix: '' }]
  while (level.length > 0) {
    const oids = level.flatMap((pair) => [pair.base, pair.head]).filter((oid) => oid !== null)
    const read = await trees.readTrees(oids)
    const next: typeof level = []
    for (const pair of level) {
      const before = pair.base === null ? [] : read.get(pair.base)!
      const after = pair.head === null ? [] : read.get(pair.head)!
      if (before === after) continue
      for (const [name, old, now] of differences(before, after)) {
        const path = pair.prefix + name
        if ((old && old.type !== 'tree') || (now && now.type !== 'tree')) changed.push(path)
        const oldTree = old?.type === 'tree' ? old.oid : null
        const newTree = now?.type === 'tree' ? now.oid : null
        if (oldTree !== newTree) next.push({ base: oldTree, head: newTree, prefix: `${path}/` })
      }
    }
    level = next
  }
  return changed.sort()
}

function* differences(
  before: readonly TreeEntry[],
  after: readonly TreeEntry[],
): Generator<[name: string, old: TreeEntry | undefined, now: TreeEntry | undefined]> {
  for (const now of after) {
    const old = entryNamed(before, now.name)
    if (!old || old.oid !== now.oid || old.mode !== now.mode) yield [now.name, old, now]
  }
  for (const old of before) if (!entryNamed(after, old.name)) yield [old.name, old, undefined]
}

function tooMany(root: string): TrueupError {
  return new TrueupError('TOO_LARGE', { doing: `listing ${root}`, why: `it has more than ${MAX_WALKED} paths` })
}
