import picomatch from 'picomatch'
import { TrueupError } from '../lib/errors/error.ts'

/**
 * The one glob language of `trueup.yaml`: `*` (anything within a segment between slashes), `**` (any number of segments),
 * `?` (one character) and `{a,b}`. Everything else stands for itself, so that tools' addresses such as
 * `module.web["a"].disk[0]` need no escapes.
 *
 * Patterns come from merge requests, that is from strangers, and picomatch's regular expressions backtrack. So it only ever
 * sees one segment, whose wildcards the limits below bound; `**` is followed as a set of states, in linear time.
 */
export interface GlobOptions {
  /** Wildcards also match names that begin with a dot. */
  hidden?: boolean
}

const MAX_LENGTH = 500
const MAX_STARS_PER_SEGMENT = 2
const MAX_BRACES = 4
const MAX_ALTERNATIVES = 64
/** Longer names cannot be checked out on any file system we know; not tried, so that they cost nothing. */
const MAX_TEXT = 4096
const MAX_SEGMENT = 1024

/** Whether a text holds a wildcard; one without is a plain name. */
export const isGlob = (text: string): boolean => /[*?]|\{[^{}]*,/.test(text)

/** What is wrong with a pattern, in words, or null. */
export function globProblem(pattern: string): string | null {
  if (pattern.length > MAX_LENGTH) return `the pattern is longer than ${MAX_LENGTH} characters`
  if (pattern.includes('\0')) return 'the pattern holds a NUL character'
  if (/\{[^}]*\//.test(pattern)) return 'a slash stands inside of braces; write one pattern for each'
  const segments = pattern.split('/')
  if (segments.some((segment) => (segment.match(/\*+/g)?.length ?? 0) > MAX_STARS_PER_SEGMENT))
    return `the pattern has more than ${MAX_STARS_PER_SEGMENT} \`*\` between two slashes`
  return braceProblem(pattern)
}

function braceProblem(pattern: string): string | null {
  let depth = 0
  let braces = 0
  let commas = 0
  for (const character of pattern) {
    if (character === '{') [depth, braces] = [depth + 1, braces + 1]
    if (character === '}') depth--
    if (character === ',' && depth > 0) commas++
    if (depth < 0 || depth > 1) return depth < 0 ? 'a `}` has no `{`' : 'braces stand inside braces'
  }
  if (depth > 0) return 'a `{` is not closed'
  if (/\{[^}]*\.\.[^}]*\}/.test(pattern)) return 'ranges such as `{1..3}` are not supported; list them: `{1,2,3}`'
  if (braces > MAX_BRACES || commas > MAX_ALTERNATIVES)
    return `the pattern has more than ${MAX_BRACES} braces or ${MAX_ALTERNATIVES} alternatives`
  return null
}

/** A test for whole texts. Throws CONFIG_INVALID for a pattern with a `globProblem`. */
export function compileGlob(pattern: string, { hidden = false }: GlobOptions = {}): (text: string) => boolean {
  const why = globProblem(pattern)
  if (why !== null) {
    throw new TrueupError('CONFIG_INVALID', {
      doing: `reading the pattern ${JSON.stringify(pattern.slice(0, 80))}`,
      why,
    })
  }
  if (!isGlob(pattern)) return (text) => text === pattern
  const steps = pattern.split('/').map((segment) => (segment === '**' ? ANY_DEPTH : segmentTest(segment, hidden)))
  return (text) => text.length <= MAX_TEXT && follow(steps, text.split('/'), hidden)
}

const ANY_DEPTH = Symbol('**')
type SegmentStep = typeof ANY_DEPTH | ((segment: string) => boolean)

function segmentTest(segment: string, hidden: boolean): (text: string) => boolean {
  if (!isGlob(segment)) return (text) => text === segment
  const matches = picomatch(segment.replaceAll(/[\\()[\]!+@|^$"'~]/g, '\\$&'), {
    dot: hidden,
    noextglob: true,
    nonegate: true,
    windows: false,
  })
  return (text) => text.length <= MAX_SEGMENT && matches(text)
}

/** Follows all ways through the pattern at once: `at` holds the steps that may come next. */
function follow(steps: readonly SegmentStep[], segments: readonly string[], hidden: boolean): boolean {
  let at = reachable([0], steps)
  for (const segment of segments) {
    const next: number[] = []
    for (const index of at) {
      const step = steps[index]
      if (step === ANY_DEPTH) {
        if (hidden || !segment.startsWith('.')) next.push(index)
      } else if (step?.(segment)) next.push(index + 1)
    }
    if (next.length === 0) return false
    at = reachable(next, steps)
  }
  return at.has(steps.length)
}

/** The given positions, and those behind each `**`, which may stand for no segment at all. */
function reachable(positions: readonly number[], steps: readonly SegmentStep[]): Set<number> {
  const reached = new Set<number>()
  for (const position of positions)
    for (let index = position; !reached.has(index); index++) {
      reached.add(index)
      if (steps[index] !== ANY_DEPTH) break
    }
  return reached
}
