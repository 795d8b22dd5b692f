import type { StackConfig } from '../config/schema.ts'
import { findCycle } from './order.ts'
import type { StackKey } from './stack.ts'
import { didYouMean } from '../suggest.ts'
import type { StackDefinition } from './definition.ts'

/** A stack and where it came from. */
export interface Candidate {
  stack: StackDefinition
  entry: StackConfig
  /** Index of the entry in `stacks:`. */
  index: number
}

export type Report = (path: readonly PropertyKey[], message: string) => void

/** Suggestions compare with every name; after this many the first ones have told the story. */
const MAX_SUGGESTIONS = 20

/** Two stacks of one identity, or two that would manage the same directory without having been named apart. */
export function reportDoubles(candidates: readonly Candidate[], report: Report): void {
  const byKey = new Map<StackKey, Candidate>()
  const byPlace = new Map<string, Candidate>()
  for (const candidate of candidates) {
    const { stack, entry, index } = candidate
    const place = `${stack.environment}\0${stack.driver}\0${stack.path}`
    const sameKey = byKey.get(stack.key)
    const samePlace = byPlace.get(place)
    if (sameKey) {
      report(
        ['stacks', index],
        `${stack.path} is ${JSON.stringify(stack.key)}, and so is ${sameKey.stack.path} of stacks[${sameKey.index}]: give one of them a \`name\``,
      )
    } else if (samePlace && (entry.name === undefined || samePlace.entry.name === undefined)) {
      report(
        ['stacks', index],
        `${JSON.stringify(stack.key)} and ${JSON.stringify(samePlace.stack.key)} of stacks[${samePlace.index}] would both manage ${stack.path} with ${stack.driver}: remove one, or name both`,
      )
    }
    if (!sameKey) byKey.set(stack.key, candidate)
    if (!samePlace) byPlace.set(place, candidate)
  }
}

/** `needs` and `inputs` that name the stack itself or one that its environment does not have. */
export function reportLinks(candidates: readonly Candidate[], report: Report): void {
  const namesByEnvironment = new Map<string, Set<string>>()
  for (const { stack } of candidates) {
    const names = namesByEnvironment.get(stack.environment)
    if (names) names.add(stack.name)
    else namesByEnvironment.set(stack.environment, new Set([stack.name]))
  }
  let suggestions = 0
  for (const { stack, entry, index } of candidates) {
    const { environment } = stack
    const names = namesByEnvironment.get(environment) ?? new Set()
    const check = (name: string, path: readonly PropertyKey[]) => {
      if (name === stack.name) return report(path, `${JSON.stringify(stack.key)} would need itself`)
      if (names.has(name)) return
      const elsewhere = [...namesByEnvironment].filter(([, others]) => others.has(name)).map(([other]) => other)
      const hint =
        elsewhere.length > 0
          ? ` (it is in ${elsewhere.join(', ')})`
          : suggestions++ < MAX_SUGGESTIONS
            ? didYouMean(name, names)
            : ''
      report(
        path,
        `${JSON.stringify(stack.key)} needs ${JSON.stringify(name)}, which ${environment} does not have${hint}`,
      )
    }
    entry.needs?.forEach((name, i) => check(name, ['stacks', index, 'needs', i]))
    for (const [input, reference] of Object.entries(entry.inputs ?? {}))
      check(reference.slice(0, reference.lastIndexOf('.')), ['stacks', index, 'inputs', input])
  }
}

/** The first cycle of needs, as stack keys, or null. */
export function needsCycle(stacks: readonly StackDefinition[]): StackKey[] | null {
  const needs = new Map(stacks.map((stack) => [stack.key, stack.needs]))
  return findCycle(needs.keys(), (key) => needs.get(key) ?? [])
}
