import { Environment } from '@marcbachmann/cel-js'

const LIMITS = { maxAstNodes: 500, maxDepth: 40, maxListElements: 100, maxMapEntries: 50, maxCallArguments: 8 }
/** Runs a backtracking regular expression on text that strangers may have written. */
const REFUSED = /\bmatches\s*\(/

const language = new Environment({ homogeneousAggregateLiterals: false, limits: LIMITS }).registerVariable(
  'object',
  'dyn',
)

/** What is wrong with a health expression, in words, or null. */
export function expressionProblem(text: string): string | null {
  if (REFUSED.test(text)) return 'matches() is not available; use ==, contains() or startsWith()'
  try {
    language.parse(text)
    return null
  } catch (error) {
    return error instanceof Error ? (error.message.split('\n')[0] ?? 'it cannot be read') : String(error)
  }
}

/**
 * An expression over `object` as a function. What cannot be evaluated (a status that is not there yet) is false, as in
 * Flux's health expressions.
 */
export function compileExpression(text: string): (object: unknown) => boolean {
  const evaluate = language.parse(text)
  return (object) => {
    try {
      return evaluate({ object: withBigInts(object) }) === true
    } catch {
      return false
    }
  }
}

/** CEL tells whole numbers from fractions; JSON does not. */
function withBigInts(value: unknown): unknown {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value
  if (Array.isArray(value)) return value.map(withBigInts)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, withBigInts(inner)]))
}
