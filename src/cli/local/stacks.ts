import { type LineOf, parseConfigWithLines } from '../../domain/config/parse.ts'
import { configError, listedProblems } from '../../domain/config/problems.ts'
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
import { didYouMean } from '../../domain/suggest.ts'
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

/**
 * Reads trueup.yaml and resolves every stack, as the server does for a commit. Throws CONFIG_… with all problems, each with its
 * line, key and the line's text.
 */
export async function readStacks(tree: WorkingTree): Promise<LocalStacks> {
  const source = await tree.read(CONFIG_FILE)
  if (source === null) throw missing(tree)
  return withExcerpts(source, () => {
    const { config, lineOf } = parseConfigWithLines(source)
    for (const policy of config.policies ?? []) compilePolicy(policy)
    const { stacks, findings } = discoverStacks(config, tree.directories, lineOf)
    if (!tree.files.includes(CONFIG_FILE)) findings.unshift(IGNORED)
    return { config, stacks: withDrivers(levels(stacks).flat(), config, lineOf), findings }
  })
}

function missing({ root, files }: WorkingTree): TrueupError {
  const other = files.find((file) => /^\.?trueup\.(yml|yaml|json|toml)$/i.test(file))
  return new TrueupError('CONFIG_MISSING', {
    doing: `reading ${CONFIG_FILE} in ${root}`,
    why: other === undefined ? 'there is none' : `there is none, but ${other}`,
    ...(other !== undefined && { next: `It must be called ${CONFIG_FILE}: git mv ${other} ${CONFIG_FILE}` }),
  })
}

/** Each stack with its driver and parsed settings; CONFIG_INVALID with the problems of all stacks at once. */
function withDrivers(definitions: readonly StackDefinition[], config: TrueupConfig, lineOf: LineOf): LocalStack[] {
  const errors: TrueupError[] = []
  const found = definitions.flatMap((definition): LocalStack[] => {
    const index = config.stacks.findIndex(
      (entry) => entry.driver === definition.driver && (entry.with ?? null) === (definition.driverConfig as unknown),
    )
    // An entry without settings has none that could be wrong, but the name of its driver.
    const at = index < 0 ? config.stacks.findIndex((entry) => entry.driver === definition.driver) : index
    try {
      return [{ definition, ...configuredDriver(definition, (path) => lineOf(['stacks', at, ...path])) }]
    } catch (thrown) {
      if (!(thrown instanceof TrueupError)) throw thrown
      errors.push(thrown)
      return []
    }
  })
  const [first] = errors
  if (first === undefined) return found
  const problems = errors.flatMap(({ text }) => listedProblems(text.details))
  const each = [...new Map(problems.map((problem) => [JSON.stringify(problem), problem])).values()]
  throw configError('CONFIG_INVALID', first.text.doing, each, first.text.next)
}

/** An error of the configuration with the text of each line that it names. */
function withExcerpts<T>(source: Buffer, read: () => T): T {
  try {
    return read()
  } catch (thrown) {
    const problems = thrown instanceof TrueupError ? listedProblems(thrown.text.details) : []
    if (!(thrown instanceof TrueupError) || problems.length === 0) throw thrown
    const lines = source.toString('utf8').split(/\r?\n/)
    const shown = problems.map((problem) => {
      const text = problem.line === undefined ? undefined : lines[problem.line - 1]
      return text === undefined ? problem : { ...problem, excerpt: text.slice(0, 160) }
    })
    const { details, ...text } = thrown.text
    throw new TrueupError(thrown.code, { ...text, details: { ...details, problems: shown.map((one) => ({ ...one })) } })
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

/**
 * The stacks that keys, names and paths choose (`production/web`, `web`, `hosts/web`); all where none are given. NOT_FOUND for
 * an environment or a name that there is not: a stack that was meant is never left out silently.
 */
export function chooseStacks(
  stacks: readonly LocalStack[],
  wanted: readonly string[],
  environment?: string,
): LocalStack[] {
  const environments = [...new Set(stacks.map(({ definition }) => definition.environment))]
  if (environment !== undefined && !environments.includes(environment))
    throw notFound(`the environment ${environment}`, environment, environments, 'no environment has a stack')
  const here = stacks.filter(({ definition }) => environment === undefined || definition.environment === environment)
  const answersTo = (name: string, { definition }: LocalStack): boolean =>
    name === definition.key || name === definition.name || name === definition.path
  const keys = here.map(({ definition }) => definition.key)
  const none = 'trueup.yaml has no stack'
  for (const name of wanted) {
    if (here.some((stack) => answersTo(name, stack))) continue
    const known = here.flatMap(({ definition: { key, name: own, path } }) => [key, own, path])
    throw notFound(`the stack ${name}`, name, keys, none, known)
  }
  if (here.length === 0) throw notFound('stacks of this repository', '', keys, none)
  return here.filter((stack) => wanted.length === 0 || wanted.some((name) => answersTo(name, stack)))
}

function notFound(what: string, name: string, there: readonly string[], none: string, known = there): TrueupError {
  const listed = `there are ${there.slice(0, 10).join(', ')}${there.length > 10 ? ', …' : ''}`
  return new TrueupError('NOT_FOUND', {
    doing: `looking for ${what}`,
    why: there.length === 0 ? none : `${listed}${didYouMean(name, known)}`,
    next: 'Use one of these; a stack answers to its key, its name and its path.',
  })
}
