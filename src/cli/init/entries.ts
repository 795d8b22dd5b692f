import { canonicalJson, type JsonObject } from '../../lib/json.ts'
import { nameProblem, stackNameOf } from '../../domain/stacks/naming.ts'
import { byPath, type Proposal } from '../../drivers/proposal.ts'
import type { Assigned } from './environments.ts'

/** An entry of `stacks:` to be written. */
export interface Entry {
  path: string
  driver: string
  name?: string
  /** Absent where the path says it. */
  environments?: readonly string[]
  with?: JsonObject
  /** Names of stacks of the same environment that come before it. */
  needs?: readonly string[]
  /** Globs from the root, of further files. */
  watch?: readonly string[]
  toolVersion?: string
  why: string
  confidence: NonNullable<Proposal['confidence']>
  /** Why it is written as a comment, to be taken in by a person; null for those that take effect. */
  inactive: string | null
}

/**
 * Entries for the stacks: what looks the same but for the environment becomes one, `live/{environment}/db` or
 * `environments: [staging, production]`. `all` are the environments of the file.
 */
export function entriesOf(
  stacks: readonly Assigned[],
  all: readonly string[],
  directories: readonly string[],
): Entry[] {
  const there = new Set(directories)
  const groups = Map.groupBy(stacks, (stack) =>
    canonicalJson([
      stack.driver,
      patternOf(stack) ?? stack.path,
      stack.name ?? null,
      (stack.with as JsonObject) ?? {},
      stack.danger ?? null,
    ]),
  )
  const names = Map.groupBy(groups.values(), ([first]) => nameOf({ ...first!, path: patternOf(first!) ?? first!.path }))
  const entries = [...groups.values()].flatMap((group): Entry[] => {
    const pattern = patternOf(group[0]!)
    if (pattern === null) return [entry(group[0]!, unite(group), all)]
    // The pattern takes every directory that it matches: it must not bring in one that no driver recognised.
    const matched = all.filter((name) => there.has(pattern.replace('{environment}', name)))
    const isAlone = names.get(nameOf({ ...group[0]!, path: pattern }))?.length === 1
    if (isAlone && matched.length === group.length) return [{ ...entry(group[0]!, [], all), path: pattern }]
    return group.map((stack) => entry(stack, stack.environments, all))
  })
  return withNames(entries.toSorted(byPath), all)
}

const unite = (group: readonly Assigned[]): string[] => [...new Set(group.flatMap(({ environments }) => environments))]

function entry(stack: Assigned, environments: readonly string[], all: readonly string[]): Entry {
  const { path, driver, name, with: settings, why = driver, confidence = 'sure', danger } = stack
  return {
    path,
    driver,
    ...(name !== undefined && { name }),
    ...(environments.length > 0 && all.length > 1 && { environments }),
    ...(settings && Object.keys(settings).length > 0 && { with: settings as JsonObject }),
    why,
    confidence,
    inactive:
      danger ?? (confidence === 'unsure' ? 'nothing in the repository shows for certain that it is a stack' : null),
  }
}

function patternOf({ path, segment }: Assigned): string | null {
  if (segment === null) return null
  return path
    .split('/')
    .map((each, index) => (index === segment.index ? segment.pattern : each))
    .join('/')
}

/** The entries in their order; gives names to those whose path gives none that could be one, or one that another stack has as well. */
export function withNames(entries: readonly Entry[], all: readonly string[]): Entry[] {
  const taken = new Map<string, string>()
  const places = Map.groupBy(entries, ({ driver, path }) => `${driver} ${path}`)
  return entries.map((one) => {
    const own = nameOf(one)
    const environments = one.environments ?? all
    const isFree = (name: string): boolean => environments.every((each) => !taken.has(`${each} ${name}`))
    const shares = (places.get(`${one.driver} ${one.path}`) ?? []).some(
      (other) => other !== one && (other.environments ?? all).some((each) => environments.includes(each)),
    )
    let name = own
    if (nameProblem(name) !== null) name = sanitised(name)
    for (let n = 1; !isFree(name); n++) name = `${own}-${n === 1 ? one.driver : `${one.driver}-${n}`}`
    for (const each of environments) taken.set(`${each} ${name}`, one.path)
    return name === own && !(shares && one.name === undefined) ? one : { ...one, name }
  })
}

/** The name that the stack would have, as discovery gives it. */
export function nameOf({ name, path }: Pick<Entry, 'name' | 'path'>): string {
  if (name !== undefined) return name
  const nameSegments = path
    .split('/')
    .filter((segment) => segment !== '.' && segment !== '{environment}')
    .map((segment) => segment.replace(/[-_.]?\{environment\}/, ''))
  return stackNameOf(undefined, { path, nameSegments, captures: [] })
}

function sanitised(name: string): string {
  const plain = name
    .normalize('NFKD')
    .replaceAll(/[^A-Za-z0-9._/-]+/g, '-')
    .replaceAll(/-*\/-*/g, '/')
    .replace(/-+$/, '')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 200)
  return nameProblem(plain) === null ? plain : 'stack'
}
