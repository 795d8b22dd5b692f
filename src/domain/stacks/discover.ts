import type { LineOf } from '../config/document.ts'
import { LIMITS } from '../config/limits.ts'
import { configError, type Problem, pathText } from '../config/problems.ts'
import type { StackConfig, TrueupConfig } from '../config/schema.ts'
import { type EnvironmentRules, resolveEnvironment } from './environment.ts'
import { isGlob } from '../glob.ts'
import type { Finding } from '../plans/plan.ts'
import { policiesNeedingMr } from '../policies/without-mr.ts'
import { nearest } from '../suggest.ts'
import type { StackDefinition } from './definition.ts'
import { type Budget, type Directory, directoryTree, ENVIRONMENT, type Match, matchDirectories } from './directories.ts'
import { type Candidate, needsCycle, reportDoubles, reportLinks } from './links.ts'
import { nameProblem, normalisePath, outsideProblem, patternProblem, stackNameOf, templateProblem } from './naming.ts'
import { sharedSettings, stackDefinition } from './resolve.ts'

export interface Discovery {
  /** In the order of the configuration, then of environments, then of paths. */
  stacks: StackDefinition[]
  /** Warnings that stop nothing, such as a glob that matches no directory. */
  findings: Finding[]
}

const DOING = 'finding the stacks of trueup.yaml'
/** Directories looked at, over all entries; a few seconds of work. */
const MAX_STEPS = 3_000_000
/** Needs over all stacks. */
const MAX_NEEDS = 1_000_000

/**
 * Resolves the stacks of a configuration against the directories of a commit (paths from the root; the root itself and
 * parents need not be listed, the order does not matter). `lineOf` puts lines into messages.
 *
 * A path with `{environment}` gives one stack per environment whose directory exists, one without it a stack in each of
 * its `environments` (in the only environment where none are named). With wildcards that is so for each match.
 *
 * Throws PATH_OUTSIDE, CONFIG_INVALID (all problems at once), CONFIG_LIMIT, and CONFIG_CYCLE with the path of the cycle.
 */
export function discoverStacks(config: TrueupConfig, directories: readonly string[], lineOf?: LineOf): Discovery {
  const problems: Problem[] = []
  const problemAt = (path: readonly PropertyKey[], message: string): Problem => ({
    line: lineOf?.(path),
    path: pathText(path),
    message,
  })
  const report = (path: readonly PropertyKey[], message: string) => problems.push(problemAt(path, message))
  refuseOutside(config, problemAt)

  const root = directoryTree(directories)
  const environments = new Map(Object.keys(config.environments).map((name) => [name, resolveEnvironment(name, config)]))
  const budget: Budget = { steps: MAX_STEPS }
  const candidates: Candidate[] = []
  const findings: Finding[] = []
  for (const { index, runs } of policiesNeedingMr(config.policies ?? [])) {
    const name = config.policies![index]!.name
    findings.push(
      warning(
        `policy "${name}" looks at \`mr\`, which is null in ${runs.join(', ')}: there it cannot be evaluated, and blocks. Ask first: \`mr != null && …\``,
        problemAt(['policies', index, 'when'], '').line,
        'POLICY_WITHOUT_MR',
      ),
    )
  }
  let needs = 0
  config.stacks.forEach((entry, index) => {
    const found = placesOf(entry, [...environments.keys()], root, budget)
    const tooMany = (message: string) => configError('CONFIG_LIMIT', DOING, [problemAt(['stacks', index], message)])
    if (found === null) throw tooMany('the patterns look at too many directories: make them more precise')
    for (const [key, message] of found.problems) report(['stacks', index, key], message)
    if (found.warning !== undefined)
      findings.push(warning(found.warning, problemAt(['stacks', index, 'path'], '').line))
    needs += found.places.length * ((entry.needs?.length ?? 0) + Object.keys(entry.inputs ?? {}).length)
    if (candidates.length + found.places.length > LIMITS.stacks)
      throw tooMany(`there are more than ${LIMITS.stacks} stacks`)
    if (needs > MAX_NEEDS) throw tooMany(`the stacks have more than ${MAX_NEEDS} needs and inputs`)

    const shared = sharedSettings(entry)
    for (const { environment, match } of found.places) {
      const name = stackNameOf(entry.name, match)
      const wrong = nameProblem(name)
      if (wrong !== null) report(['stacks', index], `${match.path}: ${wrong}; rename the directory or give a \`name\``)
      const rules = environments.get(environment) as EnvironmentRules
      candidates.push({ stack: stackDefinition(entry, shared, rules, { name, path: match.path }), entry, index })
    }
  })

  reportDoubles(candidates, report)
  reportLinks(candidates, report)
  if (problems.length > 0) throw configError('CONFIG_INVALID', DOING, problems)
  const stacks = candidates.map(({ stack }) => stack)
  refuseCycle(candidates, stacks, problemAt)
  return { stacks, findings }
}

interface Places {
  places: { environment: string; match: Match }[]
  problems: [key: 'path' | 'name' | 'environments', message: string][]
  warning?: string
}

/** Where an entry has stacks, and what is wrong with it; null when the budget is spent. */
function placesOf(entry: StackConfig, all: readonly string[], root: Directory, budget: Budget): Places | null {
  const path = normalisePath(entry.path)
  const pattern = patternProblem(path)
  if (pattern !== null) return { places: [], problems: [['path', pattern]] }
  const template = entry.name === undefined ? null : templateProblem(entry.name, path)
  if (template !== null) return { places: [], problems: [['name', template]] }
  const perEnvironment = path.includes(ENVIRONMENT)
  if (!perEnvironment && !entry.environments && all.length !== 1)
    return {
      places: [],
      problems: [['environments', `is missing; name those of ${all.join(', ')} that have this stack`]],
    }

  const places: Places['places'] = []
  const empty: string[] = []
  for (const environment of entry.environments ?? all) {
    const matches = matchDirectories(root, path, environment, budget)
    if (matches === null) return null
    if (matches.length === 0) empty.push(environment)
    for (const match of matches) places.push({ environment, match })
  }
  const [missing] = empty
  if (missing === undefined) return { places, problems: [] }
  const nowhere = places.length === 0
  if (isGlob(path)) {
    if (nowhere) return { places, problems: [], warning: `the path ${JSON.stringify(entry.path)} matches no directory` }
    return { places, problems: [] }
  }
  // Environments that no one named and that lack the directory just do not have the stack.
  if (!nowhere && !entry.environments) return { places, problems: [] }
  const lacking = path.replaceAll(ENVIRONMENT, missing)
  return {
    places,
    problems: [['path', `there is no directory ${JSON.stringify(lacking)}${nearestDirectory(root, lacking)}`]],
  }
}

/** A suggestion from the directory in which the path leaves the tree. */
function nearestDirectory(root: Directory, path: string): string {
  let at = root
  for (const segment of path.split('/')) {
    const member = at.members.get(segment)
    if (!member) {
      const meant = nearest(segment, at.members.keys())
      return meant === null ? '' : ` (did you mean ${JSON.stringify(normalisePath(`${at.path}/${meant}`))}?)`
    }
    at = member
  }
  return ''
}

const warning = (message: string, line: number | undefined, code = 'NO_MATCH'): Finding => ({
  severity: 'warning',
  code,
  message,
  path: 'trueup.yaml',
  ...(line !== undefined && { line }),
})

type ProblemAt = (path: readonly PropertyKey[], message: string) => Problem

function refuseOutside(config: TrueupConfig, problemAt: ProblemAt): void {
  const outside = config.stacks.flatMap(({ path }, index) => {
    const why = outsideProblem(path)
    return why === null ? [] : [problemAt(['stacks', index, 'path'], why)]
  })
  if (outside.length > 0) throw configError('PATH_OUTSIDE', DOING, outside)
}

function refuseCycle(candidates: readonly Candidate[], stacks: readonly StackDefinition[], problemAt: ProblemAt): void {
  const cycle = needsCycle(stacks)
  if (cycle === null) return
  const index = candidates.find(({ stack }) => stack.key === cycle[0])?.index ?? 0
  // A long cycle is told by its ends.
  const shown = cycle.length > 20 ? [...cycle.slice(0, 10), '…', ...cycle.slice(-9)] : cycle
  throw configError('CONFIG_CYCLE', DOING, [
    problemAt(['stacks', index], `the stacks need each other: ${shown.join(' → ')}`),
  ])
}
