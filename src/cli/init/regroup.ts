import { canonicalJson, type JsonObject } from '../../lib/json.ts'
import { suggestedTier } from '../../domain/stacks/environment-names.ts'
import type { Entry } from './entries.ts'
import type { Draft } from './text.ts'

/** The draft, or why it cannot be regrouped so. */
export type Regrouped = Draft | { why: string }

/** The entry with exactly these environments; those that the draft has not yet come to it. */
export function placed(draft: Draft, index: number, names: readonly string[]): Regrouped {
  const entry = draft.entries[index]!
  if (entry.path.includes('{environment}'))
    return { why: `directories say which environments ${entry.path} has: split it first` }
  const fresh = [...new Set(names)].filter((name) => !draft.environments.some((one) => one.name === name))
  return {
    ...draft,
    environments: [...draft.environments, ...fresh.map((name) => ({ name, tier: suggestedTier(name) }))],
    // Entries that name none were in all that there were, and stay in just these.
    entries: draft.entries.map((one, at) => {
      if (at === index) return { ...one, environments: [...new Set(names)] }
      return fresh.length > 0 && one.environments === undefined && !one.path.includes('{environment}')
        ? { ...one, environments: environmentsOf(draft, one) }
        : one
    }),
  }
}

/** The entry as one for each of its environments. */
export function split(draft: Draft, index: number): Regrouped {
  const entry = draft.entries[index]!
  const environments = environmentsOf(draft, entry)
  if (environments.length < 2) return { why: `${entry.path} is in one environment only` }
  const parts = environments.map((name) => ({
    ...entry,
    path: entry.path.replace('{environment}', name),
    environments: [name],
  }))
  return { ...draft, entries: draft.entries.flatMap((one, at) => (at === index ? parts : [one])) }
}

/** These entries as one, where they differ in nothing but their environments and what directories are called by them. */
export function joined(draft: Draft, indices: readonly number[]): Regrouped {
  const entries = [...new Set(indices)].map((index) => draft.entries[index]!)
  const [first] = entries
  if (first === undefined || entries.length < 2) return { why: 'the numbers of two stacks or more are needed' }
  const settings = ({ driver, with: given = {} }: Entry): string => canonicalJson([driver, given as JsonObject])
  const other = entries.find((one) => settings(one) !== settings(first))
  if (other !== undefined) return { why: `${first.path} and ${other.path} differ in their driver or its settings` }
  const path = commonPath(draft, entries)
  if (path === null) return { why: 'their paths differ in more than the name of their environment' }
  const environments = [...new Set(entries.flatMap((one) => environmentsOf(draft, one)))]
  const { environments: _, ...rest } = first
  const whole: Entry = {
    ...rest,
    path,
    ...(!path.includes('{environment}') && { environments }),
    inactive: entries.map(({ inactive }) => inactive).find((why) => why !== null) ?? null,
  }
  const kept = draft.entries.flatMap((one) => (one === first ? [whole] : entries.includes(one) ? [] : [one]))
  return { ...draft, entries: kept }
}

/** The path of all, with `{environment}` where each has the name of its one environment; null where there is none. */
function commonPath(draft: Draft, entries: readonly Entry[]): string | null {
  const paths = new Set(entries.map(({ path }) => path))
  if (paths.size === 1) return [...paths][0]!
  const patterns = entries.map((one) => {
    const [name, ...more] = environmentsOf(draft, one)
    const segments = one.path.split('/')
    if (name === undefined || more.length > 0 || !segments.includes(name)) return null
    return segments.with(segments.indexOf(name), '{environment}').join('/')
  })
  return new Set(patterns).size === 1 ? patterns[0]! : null
}

const environmentsOf = (draft: Draft, { environments }: Entry): string[] => [
  ...(environments ?? draft.environments.map(({ name }) => name)),
]
