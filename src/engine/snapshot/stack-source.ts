import { desiredDigest } from '../../domain/stacks/desired-digest.ts'
import type { Place } from '../../domain/plans/place.ts'
import type { StackDefinition } from '../../domain/stacks/definition.ts'
import type { ResolvedInput } from '../../domain/stacks/stack.ts'
import { type BuiltFrom, builtFrom, builtWith, filesOf } from '../../drivers/built-from.ts'
import { configuredDriver } from '../../drivers/registry.ts'
import type { GitRepository } from '../../git/repository.ts'
import type { TreeView } from '../../git/tree-view.ts'
import type { StackSource } from './snapshot.ts'

/** Resolves everything inside one tree that a stack's desired state comes from. CONFIG_INVALID for a bad `with:`. */
export async function stackSource(
  repository: GitRepository,
  view: TreeView,
  definition: StackDefinition,
): Promise<StackSource> {
  const built = await builtFrom(repository, view, definition)
  return await sourceOf(view, definition, built, await placeIn(repository, view, definition))
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

/** The same where it is known already what the driver tells. */
export async function sourceWith(
  view: TreeView,
  definition: StackDefinition,
  dependencyPaths: string[],
  place: Place | null,
): Promise<StackSource> {
  return await sourceOf(view, definition, await builtWith(view, definition, dependencyPaths), place)
}

async function sourceOf(
  view: TreeView,
  definition: StackDefinition,
  { dependencies, watched, paths, interests }: BuiltFrom,
  place: Place | null,
): Promise<StackSource> {
  const sourceDigest = desiredDigest({
    subtree: (await view.entry(definition.path))?.oid ?? null,
    dependencies,
    watched,
    driver: definition.driver,
    driverConfig: definition.driverConfig,
    ...(definition.toolVersion !== undefined && { toolVersion: definition.toolVersion }),
    ...(definition.sops && { sops: true }),
    inputs: Object.fromEntries(
      Object.entries(definition.inputs).map(([name, from]) => [name, `${from.stack}.${from.output}`]),
    ),
    variables: definition.variables,
    ignore: definition.ignore,
    unstable: definition.unstable,
  })
  return { definition, sourceDigest, dependencies: dependencies.map(({ path }) => path), paths, interests, place }
}
