import type { StackKey } from '../../domain/stacks/stack.ts'

/**
 * path → stacks that want to know when something at, above or below it changes. A look-up costs the depth of the changed
 * path (and, for a directory, what is named below it), whatever the number of stacks: a push to one of 10,000 stacks
 * costs one stack.
 */
export interface InterestIndex {
  /** Stacks that named this path, a directory above it, or something below it (which comes and goes with it). */
  interested(path: string): StackKey[]
}

export function indexInterests(entries: Iterable<readonly [StackKey, readonly string[]]>): InterestIndex {
  const exact = new Map<string, StackKey[]>()
  for (const [key, paths] of entries) {
    for (const path of paths) {
      const keys = exact.get(path)
      if (keys) keys.push(key)
      else exact.set(path, [key])
    }
  }
  const sorted = [...exact.keys()].sort(byCodeUnits)

  const atOrAbove = (path: string): StackKey[] => {
    const found: StackKey[] = [...(exact.get('.') ?? [])]
    for (let at = path.indexOf('/'); at !== -1; at = path.indexOf('/', at + 1)) {
      const keys = exact.get(path.slice(0, at))
      if (keys) found.push(...keys)
    }
    return found.concat(exact.get(path) ?? [])
  }
  const below = (path: string): StackKey[] => {
    const prefix = `${path}/`
    const found: StackKey[] = []
    for (let at = firstAtLeast(sorted, prefix); sorted[at]?.startsWith(prefix); at++) {
      found.push(...(exact.get(sorted[at]!) ?? []))
    }
    return found
  }
  return { interested: (path) => [...new Set([...atOrAbove(path), ...below(path)])] }
}

const byCodeUnits = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** Index of the first text that is not before `wanted`, by bisection. */
function firstAtLeast(sorted: readonly string[], wanted: string): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (sorted[middle]! < wanted) low = middle + 1
    else high = middle
  }
  return low
}
