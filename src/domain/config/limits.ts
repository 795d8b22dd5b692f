import { CST, Lexer } from 'yaml'
import type { Problem } from './problems.ts'

/**
 * What a configuration may hold at most. The file comes from a merge request, so these are checked over a token stream that
 * takes linear time, before the parser proper sees it: that one recurses on nesting, and is quadratic on anchors (measured
 * with yaml 2.9: 1 MiB of `? ? ?` takes 179 s, 50,000 anchors with aliases 54 s).
 */
export const LIMITS = {
  bytes: 1024 * 1024,
  /** Twenty thousand stacks of one line each have 380,000. */
  tokens: 600_000,
  aliases: 1000,
  anchors: 1000,
  /** Aliases × characters of the file, where merge keys (`<<`) copy what they name. */
  merged: 32 * 1024 * 1024,
  /** Levels of nesting of the values, and so of braces and brackets. */
  depth: 64,
  /** Columns of indentation; bounds the nesting of blocks before they are parsed. */
  indentation: 256,
  /** `- - - x` and `? ? x` nest within a line. */
  indicatorsPerLine: 16,
  /** Values after aliases are replaced by what they name. */
  values: 1_000_000,
  stacks: 20_000,
} as const

export interface TokenProblem {
  code: 'CONFIG_LIMIT' | 'CONFIG_SYNTAX'
  problem: Problem
}

/** The lexer marks scalars and document boundaries with these; they are not in the text. */
const MARKS = new Set([CST.DOCUMENT, CST.FLOW_END])

/** The first limit that a text exceeds, or the first construct that configurations do not have (tags, directives). */
export function checkTokens(text: string): TokenProblem | null {
  const seen = { tokens: 0, aliases: 0, anchors: 0, merges: 0, depth: 0, indicators: 0, column: 0 }
  let line = 1
  let lineStart = true
  let scalarNext = false
  for (const source of new Lexer().lex(text)) {
    if (source === CST.SCALAR) scalarNext = true
    if (source === CST.SCALAR || MARKS.has(source)) continue
    // What follows the mark is a scalar whatever it looks like.
    const type = scalarNext ? 'scalar' : CST.tokenType(source)
    scalarNext = false

    seen.tokens++
    const blank = type === 'space' || type === 'newline' || type === 'comment'
    if (lineStart && type === 'space') seen.column += source.length
    count(seen, type, source)
    const message = exceeded(seen, lineStart && !blank)
    if (message !== null) return { code: 'CONFIG_LIMIT', problem: { line, path: '', message } }
    const unsupported = UNSUPPORTED[type ?? '']
    if (unsupported !== undefined) {
      const what = JSON.stringify(source.slice(0, 40))
      return { code: 'CONFIG_SYNTAX', problem: { line, path: '', message: `the ${unsupported.replace('%', what)}` } }
    }

    if (!blank) lineStart = false
    for (let at = source.indexOf('\n'); at >= 0; at = source.indexOf('\n', at + 1)) {
      line++
      lineStart = true
      seen.column = 0
      seen.indicators = 0
    }
  }
  if (seen.merges === 0 || seen.aliases * text.length <= LIMITS.merged) return null
  const message = 'too many aliases with merge keys for a file this large'
  return { code: 'CONFIG_LIMIT', problem: { path: '', message } }
}

interface Seen {
  tokens: number
  aliases: number
  anchors: number
  /** Merge keys, `<<`. */
  merges: number
  /** Open braces and brackets. */
  depth: number
  /** `-` and `?` on this line. */
  indicators: number
  /** Indentation of this line. */
  column: number
}

const UNSUPPORTED: { [type: string]: string } = {
  tag: 'tag % is not supported: write the plain value',
  'directive-line': 'directive % is not supported: remove the line',
}

function count(seen: Seen, type: string | null, source: string): void {
  if (type === 'alias') seen.aliases++
  else if (type === 'anchor') seen.anchors++
  else if (type === 'scalar' && source === '<<') seen.merges++
  else if (type === 'flow-map-start' || type === 'flow-seq-start') seen.depth++
  else if (type === 'flow-map-end' || type === 'flow-seq-end') seen.depth = Math.max(0, seen.depth - 1)
  else if (type === 'seq-item-ind' || type === 'explicit-key-ind') seen.indicators++
}

function exceeded(seen: Seen, firstOnLine: boolean): string | null {
  if (seen.tokens > LIMITS.tokens) return `the file has more than ${LIMITS.tokens} tokens`
  if (seen.aliases > LIMITS.aliases) return `the file has more than ${LIMITS.aliases} aliases`
  if (seen.anchors > LIMITS.anchors) return `the file has more than ${LIMITS.anchors} anchors`
  if (seen.depth > LIMITS.depth || seen.indicators > LIMITS.indicatorsPerLine)
    return `nested deeper than ${LIMITS.depth} levels`
  if (firstOnLine && seen.depth === 0 && seen.column > LIMITS.indentation)
    return `indented by more than ${LIMITS.indentation} columns`
  return null
}

/** What is too much about the values once aliases are replaced by what they name, or null. Stops at the limit itself. */
export function checkValues(root: unknown): string | null {
  let seen = 0
  const waiting: { value: unknown; depth: number }[] = [{ value: root, depth: 0 }]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { value, depth } = next
    if (++seen + waiting.length > LIMITS.values) return `the file stands for more than ${LIMITS.values} values`
    // An alias inside of what it names never ends, so this finds it too.
    if (depth > LIMITS.depth)
      return `nested deeper than ${LIMITS.depth} levels, or an alias stands inside of what it names`
    if (typeof value !== 'object' || value === null) continue
    for (const member of Object.values(value)) waiting.push({ value: member, depth: depth + 1 })
  }
  return null
}
