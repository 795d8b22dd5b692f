import { parseConfigWithLines } from '../../domain/config/parse.ts'
import type { TrueupConfig } from '../../domain/config/schema.ts'
import type { Finding } from '../../domain/plans/plan.ts'
import { compilePolicy } from '../../domain/policies/policy.ts'
import { levels } from '../../domain/stacks/order.ts'
import type { StackDefinition } from '../../domain/stacks/definition.ts'
import type { Place } from '../../domain/plans/place.ts'
import { placeConflicts, placeTaken } from '../../domain/stacks/places.ts'
import { discoverStacks } from '../../domain/stacks/discover.ts'
import type { Driver } from '../../drivers/driver.ts'
import { configuredDriver } from '../../drivers/registry.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import { CONFIG_FILE, type WorkingTree } from './working-tree.ts'

/** A stack of the working tree with its driver and its parsed settings. */
export interface LocalStack {
  definition: StackDefinition
  driver: Driver
  config: unknown
}

/** `next` where the check itself ended with an error. */
export type StackFinding = Finding & { stack?: string; next?: string }

export interface LocalStacks {
  config: TrueupConfig
  /** Upstream stacks first. */
  stacks: LocalStack[]
  findings: Finding[]
}

/** Reads trueup.yaml and resolves every stack, as the server does for a commit. Throws CONFIG_… with line and key. */
export async function readStacks(tree: WorkingTree): Promise<LocalStacks> {
  const source = await tree.read(CONFIG_FILE)
  if (source === null) {
    throw new TrueupError('CONFIG_MISSING', { doing: `reading ${CONFIG_FILE} in ${tree.root}`, why: 'there is none' })
  }
  const { config, lineOf } = parseConfigWithLines(source)
  for (const policy of config.policies ?? []) compilePolicy(policy)
  const { stacks, findings } = discoverStacks(config, tree.directories, lineOf)
  if (!tree.files.includes(CONFIG_FILE)) findings.unshift(IGNORED)
  return {
    config,
    stacks: levels(stacks)
      .flat()
      .map((definition) => ({ definition, ...configuredDriver(definition) })),
    findings,
  }
}

/** Repositories that ignore everything and name what they want are common for configuration files. */
const IGNORED: Finding = {
  severity: 'warning',
  path: CONFIG_FILE,
  message: `Git ignores it, so that no commit will hold it: add it with \`git add --force ${CONFIG_FILE}\``,
}

/** Places that two stacks of the working tree claim; which other repositories have them, only the server knows. */
export async function sharedPlaces(
  { read, list }: WorkingTree,
  stacks: readonly LocalStack[],
): Promise<StackFinding[]> {
  const places: { key: string; place: Place | null }[] = []
  for (const { definition, driver, config } of stacks) {
    const { key, environment, name, path, pool, variables } = definition
    const place = (await driver.place?.({ config, environment, name, path, pool, variables, read, list })) ?? null
    places.push({ key, place })
  }
  return placeConflicts(places).map((conflict) => {
    const { code, text } = placeTaken(conflict)
    return { severity: 'error', code, message: `${text.doing}: ${text.why}`, next: text.next, stack: conflict.key }
  })
}

/** The stacks that names or globs of keys choose (`production/web`, `web`, `production/*`); all where none are given. */
export function chooseStacks(
  stacks: readonly LocalStack[],
  wanted: readonly string[],
  environment?: string,
): LocalStack[] {
  const here = stacks.filter(({ definition }) => environment === undefined || definition.environment === environment)
  const isWanted = ({ definition }: LocalStack): boolean =>
    wanted.length === 0 ||
    wanted.some((name) => name === definition.key || name === definition.name || name === definition.path)
  const chosen = here.filter(isWanted)
  if (chosen.length > 0) return chosen
  const names = stacks.map(({ definition }) => definition.key)
  throw new TrueupError('NOT_FOUND', {
    doing: `looking for ${wanted.length > 0 ? `the stack ${wanted.join(', ')}` : `stacks of ${environment ?? 'this repository'}`}`,
    why:
      names.length === 0
        ? 'trueup.yaml has no stack'
        : `there are ${names.slice(0, 10).join(', ')}${names.length > 10 ? ', …' : ''}`,
    next: 'Use one of these, or its name or path.',
  })
}
