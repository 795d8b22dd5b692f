import { canonicalJson, type JsonObject } from '../../lib/json.ts'
import { ENVIRONMENT } from '../../domain/stacks/directories.ts'
import { stackNameOf } from '../../domain/stacks/naming.ts'

export interface ProposedStack {
  path: string
  driver: string
  /** Those that have it; absent where the path or the only environment says so. */
  environments?: readonly string[]
  with?: JsonObject
}

/**
 * Gives directories that are named after an environment to that environment alone: `live/stage/db` in every environment
 * would make production a second time. Where they look the same they become one entry, `live/{environment}/db`, otherwise
 * each names its environment. A single environment has whatever there is.
 */
export function byEnvironment(
  proposed: readonly ProposedStack[],
  environments: readonly string[],
  directories: readonly string[],
): ProposedStack[] {
  if (environments.length < 2) return [...proposed]
  const groups = Map.groupBy(proposed, ({ driver, path }) => `${driver} ${patternOf(path, environments) ?? path}`)
  const candidates = [...groups.values()].map((stacks) => ({
    stacks,
    pattern: patternOf(stacks[0]!.path, environments),
  }))
  const names = Map.groupBy(candidates, ({ stacks, pattern }) => nameOf(pattern ?? stacks[0]!.path))
  return candidates.flatMap(({ stacks, pattern }) => {
    if (pattern === null) return stacks.map((stack) => ({ ...stack, environments }))
    const alike = new Set(stacks.map((stack) => canonicalJson(stack.with ?? {}))).size === 1
    // The pattern takes every directory that it matches: it must not bring in one that no driver recognised.
    const there = environments.filter((name) => directories.includes(pattern.replace(ENVIRONMENT, () => name)))
    if (alike && there.length === stacks.length && names.get(nameOf(pattern))?.length === 1)
      return [{ ...stacks[0]!, path: pattern }]
    return stacks.map((stack) => ({ ...stack, environments: segmentsIn(stack.path, environments) }))
  })
}

const segmentsIn = (path: string, environments: readonly string[]): string[] =>
  path.split('/').filter((segment) => environments.includes(segment))

/** With two such segments nobody can say which one is meant. */
function patternOf(path: string, environments: readonly string[]): string | null {
  if (segmentsIn(path, environments).length !== 1) return null
  const segments = path.split('/')
  return segments.map((segment) => (environments.includes(segment) ? ENVIRONMENT : segment)).join('/')
}

/** The name that the stack will have, as discovery gives it. */
const nameOf = (path: string): string =>
  stackNameOf(undefined, {
    path,
    nameSegments: path.split('/').filter((segment) => segment !== ENVIRONMENT && segment !== '.'),
    captures: [],
  })
