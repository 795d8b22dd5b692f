import { TrueupError } from '../../lib/errors/error.ts'
import { isSafeName, pathComponents } from '../paths.ts'
import type { TreeEntry, WorkspaceLimits } from '../repository.ts'
import { pathOids } from '../tree-walk.ts'
import type { TreeReader } from '../trees.ts'

export interface PlannedFile {
  path: string
  mode: string
  oid: string
}

/** Everything that a workspace of some paths consists of. */
export interface WorkspacePlan {
  /** Directories that were asked for by name: they exist even when they are empty. */
  directories: string[]
  files: PlannedFile[]
  links: PlannedFile[]
  submodules: string[]
}

/** Reads only trees; NOT_FOUND names the first path that the commit does not have. */
export async function planWorkspace(
  trees: TreeReader,
  commit: string,
  paths: readonly string[],
  limits: WorkspaceLimits,
): Promise<WorkspacePlan> {
  const doing = `making a workspace of commit ${commit}`
  const wanted = outermost(paths.map((path) => pathComponents(path, doing).join('/')))
  const plan: WorkspacePlan = { directories: [], files: [], links: [], submodules: [] }
  let count = 0
  const take = (path: string, entry: Pick<TreeEntry, 'mode' | 'oid' | 'type'>): void => {
    if (++count > limits.maxFiles) {
      throw new TrueupError('WORKSPACE_LIMIT', { doing, why: `it has more than ${limits.maxFiles} files` })
    }
    if (entry.type === 'commit') plan.submodules.push(path)
    else if (entry.mode === '120000') plan.links.push({ path, mode: entry.mode, oid: entry.oid })
    else plan.files.push({ path, mode: entry.mode, oid: entry.oid })
  }
  let level: { path: string; entries: readonly TreeEntry[] }[] = []
  const below: { path: string; oid: string }[] = []
  const direct = await trees.directories(commit, wanted)
  const unclear: string[] = []
  for (const [index, path] of wanted.entries()) {
    const tree = direct[index]
    if (!tree) unclear.push(path)
    else {
      plan.directories.push(path)
      level.push({ path, entries: tree.entries })
    }
  }
  if (unclear.length > 0) {
    for (const [path, entry] of await pathOids(trees, commit, unclear, () => Promise.resolve(commit))) {
      if (!entry) {
        throw new TrueupError('NOT_FOUND', {
          doing,
          why: `the commit has no path ${JSON.stringify(path)}`,
          details: { path },
        })
      }
      if (entry.type === 'tree') {
        plan.directories.push(path)
        below.push({ path, oid: entry.oid })
      } else take(path, entry)
    }
  }
  while (level.length > 0 || below.length > 0) {
    for (const directory of level) {
      for (const entry of directory.entries) {
        if (!isSafeName(entry.name)) throw unsafe(directory.path, entry.name, doing)
        const path = directory.path === '' ? entry.name : `${directory.path}/${entry.name}`
        if (entry.type !== 'tree') take(path, entry)
        else if (below.push({ path, oid: entry.oid }) > limits.maxFiles) {
          throw new TrueupError('WORKSPACE_LIMIT', { doing, why: `it has more than ${limits.maxFiles} directories` })
        }
      }
    }
    const next = below.splice(0)
    for (const { path } of next) {
      if (path.split('/').length < limits.maxDepth) continue
      throw new TrueupError('WORKSPACE_LIMIT', { doing, why: `${path} is deeper than ${limits.maxDepth} directories` })
    }
    const read = next.length === 0 ? new Map() : await trees.readTrees(next.map((directory) => directory.oid))
    level = next.map(({ path, oid }) => ({ path, entries: read.get(oid)! }))
  }
  return plan
}

/** Without what lies inside another of the paths. */
function outermost(paths: string[]): string[] {
  const unique = new Set(paths)
  if (unique.has('')) return ['']
  return [...unique].filter((path) => {
    for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) {
      if (unique.has(path.slice(0, at))) return false
    }
    return true
  })
}

function unsafe(directory: string, name: string, doing: string): TrueupError {
  return new TrueupError('PATH_OUTSIDE', {
    doing,
    why: `${JSON.stringify(directory)} holds the name ${JSON.stringify(name)}, which must not be written to a disk`,
    next: 'Remove this name from the repository.',
  })
}
