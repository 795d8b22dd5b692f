/**
 * The known name nearest to a misspelt one, or null when none is near enough to be what was meant: at most a third of its
 * letters may differ. Letter case counts as half a difference; ties go to the name that stands first.
 */
export function nearest(name: string, known: Iterable<string>): string | null {
  // A name longer than anything we know of is not a slip of the finger; the bound also caps the work.
  if (name.length === 0 || name.length > 200) return null
  let best: string | null = null
  let bestDistance = Math.max(1, Math.floor(name.length / 3)) + 0.5
  for (const candidate of known) {
    if (candidate === name || Math.abs(candidate.length - name.length) >= bestDistance) continue
    const distance = editDistance(name, candidate, bestDistance)
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance]
  }
  return best
}

/** ` — did you mean "staging"?`, or nothing. */
export function didYouMean(name: string, known: Iterable<string>): string {
  const found = nearest(name, known)
  return found === null ? '' : ` (did you mean ${JSON.stringify(found)}?)`
}

/** Optimal string alignment distance (swapped neighbours count one); gives up once every path costs `limit` or more. */
function editDistance(a: string, b: string, limit: number): number {
  let twoBack: number[] = []
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const swap =
        i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
          ? twoBack[j - 2]! + 1
          : Number.POSITIVE_INFINITY
      row.push(Math.min(previous[j]! + 1, row[j - 1]! + 1, previous[j - 1]! + substitution(a[i - 1]!, b[j - 1]!), swap))
    }
    if (Math.min(...row) >= limit && Math.min(...previous) >= limit) return Number.POSITIVE_INFINITY
    twoBack = previous
    previous = row
  }
  return previous[b.length]!
}

function substitution(a: string, b: string): number {
  if (a === b) return 0
  return a.toLowerCase() === b.toLowerCase() ? 0.5 : 1
}
