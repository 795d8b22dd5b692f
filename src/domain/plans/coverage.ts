import { digestOf } from '../../lib/digest.ts'
import type { Coverage, Unchecked } from './plan.ts'
import { byText } from './order.ts'

/** Entries that a plan keeps; a list that is longer is folded, and covers no less for that. */
export const MAX_UNCHECKED = 2_000
/** Characters of a reason. */
const MAX_WHY = 1_000

/** What begins below an address: a part of a host or of a path, an item of a task, an instance of a resource. */
const BELOW = ['/', ': ', '[']

/**
 * Whether an address is one of these or lies below one: of a host that does not answer nothing was looked at, nor of the
 * items of a task that was not begun. `*` covers everything.
 */
export function covering(unchecked: readonly Pick<Unchecked, 'address'>[]): (address: string) => boolean {
  const exact = new Set(unchecked.map(({ address }) => address))
  if (exact.has('*')) return () => true
  return (address) => {
    if (exact.has(address)) return true
    for (let at = address.length - 1; at > 0; at--) {
      const isBoundary = BELOW.some((separator) => address.startsWith(separator, at))
      if (isBoundary && exact.has(address.slice(0, at))) return true
    }
    return false
  }
}

/** How many things were not looked at, as far as the tool could count them. */
export const uncheckedCount = ({ unchecked }: Coverage): number =>
  unchecked.reduce((sum, { count = 1 }) => sum + count, 0)

/** The numbers of a coverage. */
export function countsOf(coverage: Coverage): { checked: number; unchecked: number } {
  return { checked: coverage.checked, unchecked: uncheckedCount(coverage) }
}

/** Every address once, in order, with reasons of bounded length, and at most `limit` of them. */
export function boundCoverage({ checked, unchecked }: Coverage, limit = MAX_UNCHECKED): Coverage {
  const merged = new Map<string, Unchecked>()
  for (const entry of unchecked) {
    const known = merged.get(entry.address)
    merged.set(entry.address, known === undefined ? clean(entry) : together(known, entry))
  }
  const sorted = [...merged.values()].sort(byText(({ address }) => address))
  return { checked, unchecked: sorted.length > limit ? folded(sorted, limit) : sorted }
}

const clean = ({ address, why, unreachable, failed, count, folded }: Unchecked): Unchecked => ({
  address,
  why: why.length > MAX_WHY ? `${why.slice(0, MAX_WHY - 1)}…` : why,
  ...(unreachable && { unreachable }),
  ...(failed && { failed }),
  ...(count !== undefined && count !== 1 && { count }),
  ...(folded !== undefined && { folded }),
})

/** Two reasons for one address: the first is told, and what either says counts. */
function together(first: Unchecked, second: Unchecked): Unchecked {
  const [count, failed] = [Math.max(first.count ?? 1, second.count ?? 1), first.failed || second.failed]
  return clean({ ...first, count, ...(failed && { failed }) })
}

/** One entry for each first part of the addresses (a host), or one for all, where even those are too many. */
function folded(entries: readonly Unchecked[], limit: number): Unchecked[] {
  const groups = Map.groupBy(entries, ({ address }) => rootOf(address))
  const byRoot = [...groups].map(([root, members]) => foldedInto(root, members))
  return byRoot.length > limit ? [foldedInto('*', entries)] : byRoot.sort(byText(({ address }) => address))
}

function foldedInto(address: string, members: readonly Unchecked[]): Unchecked {
  const [first] = members
  if (members.length === 1 && first?.address === address) return first
  const reasons = new Set(members.map(({ why }) => why)).size
  return clean({
    address,
    why: `${first?.why ?? ''}${reasons > 1 ? ` (and ${reasons - 1} other ${reasons === 2 ? 'reason' : 'reasons'})` : ''}`,
    unreachable: members.every((member) => member.unreachable),
    failed: members.some((member) => member.failed),
    count: uncheckedCount({ checked: 0, unchecked: [...members] }),
    folded: digestOf(members.map(approvedEntry)),
  })
}

function rootOf(address: string): string {
  const slash = address.indexOf('/')
  return slash > 0 ? address.slice(0, slash) : '*'
}

/**
 * What of an entry is approved: what it is that was not looked at, and of which kind the hindrance was. The reason is a
 * text of the tool and may differ from run to run.
 */
export function approvedEntry({ address, unreachable, failed, folded }: Unchecked): string {
  return JSON.stringify([address, failed ? 'failed' : unreachable ? 'unreachable' : 'unchecked', folded ?? ''])
}

/** The first `limit` entries, for those who look at a stack: what did not answer and what failed first. */
export function shownCoverage({ checked, unchecked }: Coverage, limit: number): Coverage {
  const weight = ({ unreachable, failed }: Unchecked): number => (unreachable ? 0 : failed ? 1 : 2)
  return { checked, unchecked: unchecked.toSorted((a, b) => weight(a) - weight(b)).slice(0, limit) }
}

/** Entries of one reason, the most frequent first. */
export function byReason(unchecked: readonly Unchecked[]): { why: string; entries: Unchecked[]; count: number }[] {
  return [...Map.groupBy(unchecked, ({ why }) => why)]
    .map(([why, entries]) => ({ why, entries, count: uncheckedCount({ checked: 0, unchecked: entries }) }))
    .sort((a, b) => b.count - a.count)
}

/** Whether everything that was meant to be looked at was. */
export const isComplete = ({ coverage }: { coverage: Coverage }): boolean => coverage.unchecked.length === 0

/** What could not be planned because of an error, which is worse than what a tool cannot look at. */
export const failedOf = ({ coverage }: { coverage: Coverage }): Unchecked[] =>
  coverage.unchecked.filter(({ failed }) => failed)
