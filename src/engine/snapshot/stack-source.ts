import picomatch from 'picomatch'
import { desiredDigest, type PathObject } from '../../domain/stacks/desired-digest.ts'
import type { Place } from '../../domain/stacks/places.ts'
import type { StackDefinition } from '../../domain/stacks/definition.ts'
import type { ResolvedInput } from '../../domain/stacks/stack.ts'
import { configuredDriver } from '../../drivers/registry.ts'
import type { ListFiles, ReadFile } from '../../drivers/driver.ts'
import { pathComponents } from '../../git/paths.ts'
import type { GitRepository } from '../../git/repository.ts'
import type { StackSource } from './snapshot.ts'
import { filesBelow, type TreeView } from './tree-view.ts'

/** Resolves everything inside one tree that a stack's desired state comes from. CONFIG_INVALID for a bad `with:`. */
export async function stackSource(
  repository: GitRepository,
  view: TreeView,
  definition: StackDefinition,
): Promise<StackSource> {
  const dependencies = await dependenciesOf(repository, view, definition)
  return await sourceWith(view, definition, dependencies, await placeIn(repository, view, definition))
}

/** What else is known of a run; for a tree alone nothing is. */
interface PlaceFacts {
  inputs?: { [name: string]: ResolvedInput }
  variables?: { [name: string]: string }
}

/** The place of a stack as a tree describes it, with what more is known. */
export async function placeIn(
  repository: GitRepository,
  view: TreeView,
  definition: StackDefinition,
  { inputs, variables = definition.variables }: PlaceFacts = {},
): Promise<Place | null> {
  const { driver, config } = configuredDriver(definition)
  if (!driver.place) return null
  const { environment, name, path, pool } = definition
  const known = { config, environment, name, path, pool, variables, ...(inputs && { inputs }) }
  return await driver.place({ ...known, ...filesOf(repository, view) })
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

/** The same where it is known already what the driver tells. */
export async function sourceWith(
  view: TreeView,
  definition: StackDefinition,
  dependencyPaths: string[],
  place: Place | null,
): Promise<StackSource> {
  const watched = await watchedFiles(view, definition.watch)
  const oidOf = async (path: string): Promise<string | null> => (await view.entry(path))?.oid ?? null
  const dependencies: PathObject[] = []
  for (const path of dependencyPaths) dependencies.push({ path, oid: await oidOf(path) })
  const sourceDigest = desiredDigest({
    subtree: await oidOf(definition.path),
    dependencies,
    watched,
    driver: definition.driver,
    driverConfig: definition.driverConfig,
    ...(definition.toolVersion !== undefined && { toolVersion: definition.toolVersion }),
    inputs: Object.fromEntries(
      Object.entries(definition.inputs).map(([name, from]) => [name, `${from.stack}.${from.output}`]),
    ),
    variables: definition.variables,
    ignore: definition.ignore,
    unstable: definition.unstable,
  })
  const present = dependencies.filter((dependency) => dependency.oid !== null).map((dependency) => dependency.path)
  return {
    definition,
    sourceDigest,
    dependencies: dependencyPaths,
    paths: [definition.path, ...present, ...watched.map((file) => file.path)],
    interests: [definition.path, ...dependencyPaths, ...definition.watch.map(staticPrefix)],
    place,
  }
}

export const isInside = (path: string, directory: string): boolean =>
  directory === '.' || path === directory || path.startsWith(`${directory}/`)

/** The part of a glob before its first special character, as a directory: `modules/**` → `modules`. */
export function staticPrefix(glob: string): string {
  const { base } = picomatch.scan(glob)
  return base === '' ? '.' : base
}

/** What a driver is given to read a tree with. */
export function filesOf(repository: GitRepository, view: TreeView): { read: ReadFile; list: ListFiles } {
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
