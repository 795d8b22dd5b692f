import { posix } from 'node:path'
import {
  type EnvironmentSegment,
  environmentSegment,
  isEnvironmentName,
  suggestedTier,
  type Tier,
} from '../../domain/stacks/environment-names.ts'
import type { Found } from './found.ts'

/** Where there is one environment and nothing says its name. Not `production`: that is for people to say. */
export const UNNAMED = 'default'
/** What exists once beside several environments. */
export const SHARED = 'shared'

/** A form that names of environments have. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/

export interface Environment {
  name: string
  tier: Tier
  /** What is known beyond the defaults of the tier. */
  approvals?: number
  drift?: { mode: 'observe' | 'enforce'; interval?: string }
}

/** A found stack with the environments that have it. */
export interface Assigned extends Found {
  environments: readonly string[]
  /** Where its path names the environment. */
  segment: EnvironmentSegment | null
}

export interface Assignment {
  environments: Environment[]
  stacks: Assigned[]
  /** Of environments that nobody wants. */
  unwanted: Found[]
}

/**
 * Gives each found stack its environments: the one that its path or its files name, else (what exists once) the shared one.
 * `wanted` are the names that a person gave; what names none of them is then in all of them, but for what exists once.
 */
export function assign(
  found: readonly Found[],
  wanted: readonly string[] | null,
  directories: readonly string[],
): Assignment {
  const hasSiblings = siblingsIn(directories)
  const located = found.map((stack) => ({ stack, segment: segmentOf(stack.path, wanted, hasSiblings) }))
  const named = new Set(located.flatMap(({ stack, segment }) => stack.environment ?? segment?.name ?? []))
  const names = wanted ?? [...named].filter((name) => NAME.test(name)).toSorted()
  const stacks: Assigned[] = []
  const unwanted: Found[] = []
  for (const { stack, segment } of located) {
    const own = stack.environment ?? segment?.name
    if (own !== undefined && names.includes(own)) stacks.push({ ...stack, environments: [own], segment })
    else if (own !== undefined && wanted !== null && stack.environment !== undefined) unwanted.push(stack)
    else stacks.push({ ...stack, environments: placesOf(stack, names, wanted !== null), segment: null })
  }
  const used = new Set([...names, ...stacks.flatMap(({ environments }) => environments)])
  // A file without any stack still needs one.
  if (used.size === 0) used.add(UNNAMED)
  const highest = names.some((name) => suggestedTier(name) === 'production') ? 'production' : 'development'
  return {
    environments: [...used].map((name) => ({ name, tier: name === SHARED ? highest : suggestedTier(name) })),
    stacks,
    unwanted,
  }
}

/** Environments of what names none. */
function placesOf({ single }: Found, names: readonly string[], isWanted: boolean): string[] {
  if (names.length === 0) return [UNNAMED]
  if (!isWanted) return [SHARED]
  if (names.length === 1) return [...names]
  // It exists once: where the most rules hold.
  return single === true ? [names.find((name) => suggestedTier(name) === 'production') ?? names.at(-1)!] : [...names]
}

/** With names that were given only these count, wherever they stand. */
function segmentOf(
  path: string,
  wanted: readonly string[] | null,
  hasSiblings: (directory: string) => boolean,
): EnvironmentSegment | null {
  if (wanted === null) return environmentSegment(path, hasSiblings)
  if (wanted.length < 2) return null
  const found = path
    .split('/')
    .flatMap((name, index) => (wanted.includes(name) ? [{ index, name, pattern: '{environment}' }] : []))
  return found.length === 1 ? found[0]! : null
}

function siblingsIn(directories: readonly string[]): (directory: string) => boolean {
  const above = new Set(
    directories.filter((path) => isEnvironmentName(posix.basename(path))).map((path) => posix.dirname(path)),
  )
  return (directory) => above.has(directory)
}
