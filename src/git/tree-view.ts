import type { GitRepository, PathEntry, TreeChange, TreeEntry } from './repository.ts'
import { entryNamed } from './trees.ts'

/**
 * What one tree holds, by path. It reads a directory when it is first asked for; the view of the next tree is made from
 * this one and what changed, and reads nothing that did not change. `.` is the root.
 */
export interface TreeView {
  readonly treeOid: string
  entry(path: string): Promise<PathEntry | null>
  /** Entries of a directory, in no particular order; null where there is none. */
  entries(directory: string): Promise<readonly TreeEntry[] | null>
  /** The view of a tree that differs by these changes from this one. */
  changed(treeOid: string, changes: readonly TreeChange[]): TreeView
}

/** Directories kept by path; what is dropped is in the cache of trees as a rule. */
const KEPT_DIRECTORIES = 4_096
/** Changed paths over one base, beyond which a view is made anew. */
const MAX_CHANGED = 20_000
/** Of these the latest are copied for each view, so they are few. */
const MAX_RECENT = 512
const TREE_MODE = '040000'

/** The view of a tree of which nothing has been read yet. */
export function treeView(repository: Pick<GitRepository, 'readTrees'>, treeOid: string): TreeView {
  const directories = new Map<string, readonly TreeEntry[] | null>()
  const load = async (directory: string): Promise<readonly TreeEntry[] | null> => {
    const oid = directory === '.' ? treeOid : await treeAt(view, directory)
    const entries = oid === null ? null : (await repository.readTrees([oid])).get(oid)!
    if (directories.size >= KEPT_DIRECTORIES) directories.clear()
    directories.set(directory, entries)
    return entries
  }
  const view: TreeView = {
    treeOid,
    async entry(path) {
      if (path === '.') return { oid: treeOid, mode: TREE_MODE, type: 'tree' }
      const slash = path.lastIndexOf('/')
      const directory = slash < 0 ? '.' : path.slice(0, slash)
      const entries = directories.get(directory) ?? (await view.entries(directory))
      return (entries && entryNamed(entries, path.slice(slash + 1))) ?? null
    },
    async entries(directory) {
      const known = directories.get(directory)
      return known === undefined ? await load(directory) : known
    },
    changed: (newOid, changes) =>
      changedView(repository, { base: view, settled: new Map(), names: new Map() }, newOid, changes),
  }
  return view
}

async function treeAt(view: TreeView, path: string): Promise<string | null> {
  const entry = await view.entry(path)
  return entry?.type === 'tree' ? entry.oid : null
}

type Changed = ReadonlyMap<string, PathEntry | null>

interface Layers {
  base: TreeView
  /** Path → what it is now, or null; shared by the views of a base, as long as it is not too large. */
  settled: Changed
  /** Like it, and winning over it; of this view alone. */
  recent?: Changed
  /** Directory → names in it that may differ from the base. Shared, so it may hold more than this view changed. */
  names: Map<string, Set<string>>
}

function changedView(
  repository: Pick<GitRepository, 'readTrees'>,
  layers: Layers,
  treeOid: string,
  changes: readonly TreeChange[],
): TreeView {
  const { base, names } = layers
  let { settled } = layers
  let recent = new Map(layers.recent)
  for (const change of changes) {
    recent.set(change.path, change.new)
    const slash = change.path.lastIndexOf('/')
    const directory = slash < 0 ? '.' : change.path.slice(0, slash)
    const known = names.get(directory)
    if (known) known.add(change.path.slice(slash + 1))
    else names.set(directory, new Set([change.path.slice(slash + 1)]))
  }
  if (settled.size + recent.size > MAX_CHANGED) return treeView(repository, treeOid)
  if (recent.size > MAX_RECENT) {
    const all = new Map(settled)
    for (const [path, entry] of recent) all.set(path, entry)
    settled = all
    recent = new Map()
  }
  /** undefined: as in the base. */
  const now = (path: string): PathEntry | null | undefined => {
    const entry = recent.get(path)
    return entry === undefined ? settled.get(path) : entry
  }
  const view: TreeView = {
    treeOid,
    async entry(path) {
      if (path === '.') return { oid: treeOid, mode: TREE_MODE, type: 'tree' }
      const entry = now(path)
      return entry === undefined ? await base.entry(path) : entry
    },
    async entries(directory) {
      const here = directory === '.' ? undefined : now(directory)
      if (here === null || (here && here.type !== 'tree')) return null
      const before = await base.entries(directory)
      if (directory !== '.' && here === undefined) return before
      const touched = names.get(directory) ?? new Set<string>()
      const entries = (before ?? []).filter((entry) => !touched.has(entry.name))
      const prefix = directory === '.' ? '' : `${directory}/`
      for (const name of touched) {
        const entry = await view.entry(prefix + name)
        if (entry) entries.push({ name, ...entry })
      }
      return entries
    },
    changed: (newOid, more) => changedView(repository, { base, settled, recent, names }, newOid, more),
  }
  return view
}

/** Files, symlinks and submodules below a directory with their objects, by path; nothing where it is none. */
export async function filesBelow(view: TreeView, directory: string): Promise<{ path: string; oid: string }[]> {
  const files: { path: string; oid: string }[] = []
  const walk = async (at: string): Promise<void> => {
    const prefix = at === '.' ? '' : `${at}/`
    for (const entry of (await view.entries(at)) ?? []) {
      if (entry.type === 'tree') await walk(prefix + entry.name)
      else files.push({ path: prefix + entry.name, oid: entry.oid })
    }
  }
  await walk(directory)
  return files.sort((a, b) => (a.path < b.path ? -1 : 1))
}
