import { parseConfigWithLines } from '../../../domain/config/parse.ts'
import type { TrueupConfig } from '../../../domain/config/schema.ts'
import type { Place } from '../../../domain/plans/place.ts'
import type { Output } from '../../../domain/plans/plan.ts'
import { compilePolicy } from '../../../domain/policies/policy.ts'
import type { StackDefinition } from '../../../domain/stacks/definition.ts'
import { desiredDigest } from '../../../domain/stacks/desired-digest.ts'
import { discoverStacks } from '../../../domain/stacks/discover.ts'
import { levels } from '../../../domain/stacks/order.ts'
import { placeConflicts, placeTaken } from '../../../domain/stacks/places.ts'
import { type BuiltFrom, builtFrom, filesOf } from '../../../drivers/built-from.ts'
import { configuredDriver } from '../../../drivers/registry.ts'
import type { GitRepository } from '../../../git/repository.ts'
import { treeView, type TreeView } from '../../../git/tree-view.ts'
import { TrueupError } from '../../../lib/errors/error.ts'
import type { Json } from '../../../lib/json.ts'
import { CONFIG_FILE } from '../definition.ts'

/** A stack of a commit, with what of its tree it is built from. */
export interface DesiredStack {
  definition: StackDefinition
  built: BuiltFrom
  subtree: string | null
}

/** What a signed commit says should be in the environments of this agent. */
export interface Desired {
  commit: string
  config: TrueupConfig
  /** Upstream stacks first. */
  stacks: readonly DesiredStack[]
}

/**
 * Reads a whole commit as the server reads one. Throws what is wrong with it (CONFIG_…, PLACE_TAKEN): of a configuration
 * that cannot be read nothing is enacted.
 */
export async function readDesired(
  repository: GitRepository,
  commit: string,
  environments: readonly string[] | undefined,
): Promise<Desired> {
  const doing = `reading ${CONFIG_FILE} of commit ${commit}`
  const { tree } = await repository.commit(commit)
  const file = await repository.readFile(tree, CONFIG_FILE)
  if (file === null) throw new TrueupError('CONFIG_MISSING', { doing, why: 'the commit has none' })
  const { config, lineOf } = parseConfigWithLines(file)
  for (const policy of config.policies ?? []) compilePolicy(policy)
  const view = treeView(repository, tree)
  const found = discoverStacks(config, await repository.listDirectories(tree), lineOf).stacks
  const own = levels(found)
    .flat()
    .filter(({ environment }) => environments === undefined || environments.includes(environment))
  const stacks: DesiredStack[] = []
  for (const definition of own) {
    const built = await builtFrom(repository, view, definition)
    stacks.push({ definition, built, subtree: (await view.entry(definition.path))?.oid ?? null })
  }
  await refuseShared(repository, view, stacks)
  return { commit, config, stacks }
}

/** One place, one stack: where two claim it, neither is the one that was meant. */
async function refuseShared(repository: GitRepository, view: TreeView, stacks: readonly DesiredStack[]): Promise<void> {
  const places: { key: string; place: Place | null }[] = []
  for (const { definition } of stacks) {
    const { driver, config } = configuredDriver(definition)
    const { key, environment, name, path, pool, variables } = definition
    const known = { config, environment, name, path, pool, variables, ...filesOf(repository, view) }
    places.push({ key, place: (await driver.place?.(known)) ?? null })
  }
  const [conflict] = placeConflicts(places)
  if (conflict) throw placeTaken(conflict)
}

/**
 * The values of a stack's inputs, of what its upstream stacks have given; null where one is not there yet.
 */
export function inputsOf(
  { definition }: DesiredStack,
  outputsOf: (stack: string) => { [name: string]: Output } | null,
): { [name: string]: { value: Json; sensitive: boolean } } | null {
  const values: { [name: string]: { value: Json; sensitive: boolean } } = {}
  for (const [name, { stack, output }] of Object.entries(definition.inputs)) {
    const given = outputsOf(stack)?.[output]
    if (given === undefined || given.unknown) return null
    values[name] = { value: given.value, sensitive: given.sensitive }
  }
  return values
}

/** `variables`: versions of the agent's own by name, which stand for their values. */
export function digestOf(
  { definition, built, subtree }: DesiredStack,
  inputs: { [name: string]: Json },
  variables: { [name: string]: string },
): string {
  const { driver, driverConfig, toolVersion, sops, ignore, unstable } = definition
  return desiredDigest({
    subtree,
    dependencies: built.dependencies,
    watched: built.watched,
    driver,
    driverConfig,
    ...(toolVersion !== undefined && { toolVersion }),
    ...(sops && { sops }),
    inputs,
    variables: { ...definition.variables, ...variables },
    ignore,
    unstable,
  })
}
