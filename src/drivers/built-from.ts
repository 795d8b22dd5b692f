import picomatch from 'picomatch'
import type { PathObject } from '../domain/stacks/desired-digest.ts'
import type { StackDefinition } from '../domain/stacks/definition.ts'
import { pathComponents } from '../git/paths.ts'
import type { GitRepository } from '../git/repository.ts'
import { filesBelow, type TreeView } from '../git/tree-view.ts'
import type { ListFiles, ReadFile } from './driver.ts'
import { configuredDriver } from './registry.ts'

/** What of one tree a stack is built from. */
export interface BuiltFrom {
  /** Paths outside the stack's directory that the driver named, sorted; null where the tree has none of that name. */
  dependencies: PathObject[]
  /** The files that the stack's `watch` globs match. */
  watched: PathObject[]
  /** Directories and files to materialise, the stack's own directory first. */
  paths: string[]
  /** Every path whose change may change the stack (paths, and where watch globs start). */
  interests: string[]
}

/** Asks the driver and the tree. CONFIG_INVALID for a bad `with:`. */
export async function builtFrom(
  repository: GitRepository,
  view: TreeView,
  definition: StackDefinition,
): Promise<BuiltFrom> {
  return await builtWith(view, definition, await dependenciesOf(repository, view, definition))
}

/** The same where it is known already what the driver names. */
export async function builtWith(
  view: TreeView,
  definition: StackDefinition,
  dependencyPaths: readonly string[],
): Promise<BuiltFrom> {
  const watched = await watchedFiles(view, definition.watch)
  const dependencies: PathObject[] = []
  for (const path of dependencyPaths) dependencies.push({ path, oid: (await view.entry(path))?.oid ?? null })
  const present = dependencies.filter((dependency) => dependency.oid !== null).map((dependency) => dependency.path)
  return {
    dependencies,
    watched,
    paths: [definition.path, ...present, ...watched.map((file) => file.path)],
    interests: [definition.path, ...dependencyPaths, ...definition.watch.map(staticPrefix)],
  }
}

/** The paths that the driver names, sorted. */
async function dependenciesOf(
  repository: GitRepository,
  view: TreeView,
  definition: StackDefinition,
): Promise<string[]> {
  const { driver, config } = configuredDriver(definition)
  const { read, list } = filesOf(repository, view)
  const found = await driver.dependencies(read, list, definition.path, config)
  const outside = [...new Set(found)].filter((path) => !isInside(path, definition.path)).sort()
  for (const path of outside) pathComponents(path, `reading what stack ${definition.key} is built from`)
  return outside
}

export const isInside = (path: string, directory: string): boolean =>
  directory === '.' || path === directory || path.startsWith(`${directory}/`)

/** The part of a glob before its first special character, as a directory: `modules/**` → `modules`. */
export function staticPrefix(glob: string): string {
  const { base } = picomatch.scan(glob)
  return base === '' ? '.' : base
}

/** What a driver is given to read a tree with. */
export function filesOf(
  repository: Pick<GitRepository, 'readBlob'>,
  view: TreeView,
): { read: ReadFile; list: ListFiles } {
  const idOf = async (path: string): Promise<string | null> => {
    const entry = await view.entry(path)
    return entry?.type === 'blob' && entry.mode !== SYMLINK ? entry.oid : null
  }
  return {
    read: Object.assign(
      async (path: string) => {
        const oid = await idOf(path)
        return oid === null ? null : await repository.readBlob(oid, path)
      },
      { idOf },
    ),
    list: async (directory) => (await filesBelow(view, directory)).map((file) => file.path),
  }
}

const SYMLINK = '120000'

async function watchedFiles(view: TreeView, globs: string[]): Promise<PathObject[]> {
  const found = new Map<string, string>()
  for (const glob of globs) {
    const prefix = staticPrefix(glob)
    const matches = picomatch(glob, { dot: true })
    const here = await view.entry(prefix)
    if (!here) continue
    if (here.type !== 'tree') found.set(prefix, here.oid)
    else {
      for (const file of await filesBelow(view, prefix))
        if (matches(file.path) || prefix === glob) found.set(file.path, file.oid)
    }
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([path, oid]) => ({ path, oid }))
}
