import { compileGlob, isGlob } from '../glob.ts'

/** The directories of a commit as a tree; members of a directory in the order of their names. */
export interface Directory {
  /** From the root of the repository; `.` for the root itself. */
  path: string
  members: Map<string, Directory>
}

/** A directory that a pattern matches. */
export interface Match {
  path: string
  /** The path without what stands for the environment; empty for the root. */
  nameSegments: string[]
  /** What each segment with a wildcard (but for `**`) matched, in order. */
  captures: string[]
}

/** Steps that a walk may still take; shared by all patterns of a configuration. */
export interface Budget {
  steps: number
}

export const ENVIRONMENT = '{environment}'

/** Builds the tree in one pass. Directories need no order and no parents; `.git` and what cannot be a path are left out. */
export function directoryTree(directories: readonly string[]): Directory {
  const root: Directory = { path: '.', members: new Map() }
  for (const directory of [...directories].sort()) {
    const segments = directory.split('/').filter((segment) => segment !== '' && segment !== '.')
    if (segments.some((segment) => segment === '..' || segment.toLowerCase() === '.git')) continue
    let at = root
    for (const name of segments) {
      let member = at.members.get(name)
      if (!member) {
        member = { path: at === root ? name : `${at.path}/${name}`, members: new Map() }
        at.members.set(name, member)
      }
      at = member
    }
  }
  return root
}

/** A directory reached, and how: a list linked upwards, so that a step costs the same at any depth. */
interface Reached {
  at: Directory
  /** Name of the directory, null for the root. */
  name: string | null
  /** Segment of the pattern that matched it. */
  raw: string
  up: Reached | null
}

/**
 * The directories that a pattern matches in one environment, sorted by path, by walking down the tree segment by segment:
 * only directories that may match are looked at. Wildcards do not match names that begin with a dot. Null: out of steps.
 */
export function matchDirectories(
  root: Directory,
  pattern: string,
  environment: string,
  budget: Budget,
): Match[] | null {
  let reached: Reached[] = [{ at: root, name: null, raw: '', up: null }]
  for (const raw of pattern === '.' ? [] : pattern.split('/')) {
    const step = stepFor(raw, environment)
    const next = new Map<Directory, Reached>()
    for (const from of reached) {
      if (!step(from, budget, (found) => next.has(found.at) || next.set(found.at, found))) return null
    }
    reached = [...next.values()]
  }
  return reached.map((found) => matchOf(found, environment)).sort((a, b) => (a.path < b.path ? -1 : 1))
}

/** Hands over what one segment of a pattern reaches from a directory; false when the budget is spent. */
type Step = (from: Reached, budget: Budget, found: (reached: Reached) => void) => boolean

function stepFor(raw: string, environment: string): Step {
  if (raw === '**') return descend
  const segment = raw.replaceAll(ENVIRONMENT, environment)
  if (!isGlob(segment)) {
    return (from, budget, found) => {
      const at = from.at.members.get(segment)
      if (at) found({ at, name: segment, raw, up: from })
      return --budget.steps >= 0
    }
  }
  const matches = compileGlob(segment)
  return (from, budget, found) => {
    for (const [name, at] of from.at.members) if (matches(name)) found({ at, name, raw, up: from })
    return (budget.steps -= from.at.members.size + 1) >= 0
  }
}

/** The directory itself and everything below it. */
const descend: Step = (from, budget, found) => {
  const waiting = [from]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (--budget.steps < 0) return false
    found(next)
    for (const [name, at] of next.at.members) if (!name.startsWith('.')) waiting.push({ at, name, raw: '**', up: next })
  }
  return true
}

function matchOf(found: Reached, environment: string): Match {
  const nameSegments: string[] = []
  const captures: string[] = []
  for (let one: Reached | null = found; one !== null && one.name !== null; one = one.up) {
    nameSegments.unshift(...nameOf(one.raw, one.name, environment))
    if (one.raw !== '**' && isGlob(one.raw.replaceAll(ENVIRONMENT, environment))) captures.unshift(one.name)
  }
  return { path: found.at.path, nameSegments, captures }
}

/** What a matched segment gives to the name: nothing for `{environment}`, `infra` for `infra-{environment}`. */
function nameOf(raw: string, segment: string, environment: string): string[] {
  if (!raw.includes(ENVIRONMENT)) return [segment]
  const at = raw.endsWith(ENVIRONMENT) ? segment.lastIndexOf(environment) : segment.indexOf(environment)
  const before = segment.slice(0, at).replace(/[-_.]$/, '')
  const after = segment.slice(at + environment.length)
  const rest = before === '' ? after.replace(/^[-_.]/, '') : before + after
  return rest === '' ? [] : [rest]
}
