import { Environment, ParseError, type ASTNode, type TypeCheckResult } from '@marcbachmann/cel-js'
import { glob } from './glob.ts'

/**
 * The part of CEL that policies may use. Functions are allowed by name: what is not listed either does not terminate
 * in reasonable time on hostile text (`matches` runs a backtracking RegExp), makes values grow without bound (`join`,
 * `cel.bind`), or has no use in a condition over a plan.
 */
const FUNCTIONS = new Set(
  (
    'size has type dyn int uint double string bool contains startsWith endsWith glob ' +
    'indexOf lastIndexOf substring split lowerAscii upperAscii trim'
  ).split(' '),
)
const LOOPS = new Set(['all', 'exists', 'exists_one', 'filter', 'map'])
/** Loops inside loops: each level multiplies the work by the size of a plan. */
const MAX_LOOP_DEPTH = 3
const MR_FIELDS = new Set(['author', 'title', 'draft', 'sourceBranch', 'targetBranch'])
const VARIABLES = ['plan', 'stack', 'environment', 'mr', 'run']

const LIMITS = { maxAstNodes: 1_000, maxDepth: 50, maxListElements: 200, maxMapEntries: 50, maxCallArguments: 8 }

const common = (): Environment =>
  new Environment({ homogeneousAggregateLiterals: false, limits: LIMITS }).registerFunction(
    'string.glob(string): bool',
    (text: string, pattern: string) => glob(pattern, text),
  )

/** Knows every field, so that a misspelt one is an error when the policy is read and not a gate that never closes. */
const checker = common()
  .registerType({
    name: 'Attribute',
    schema: { path: 'string', before: 'dyn', after: 'dyn', sensitive: 'bool', unknown: 'bool', unstable: 'bool' },
  })
  .registerType({
    name: 'Change',
    schema: {
      address: 'string',
      previousAddress: 'string',
      type: 'string',
      actions: 'list<string>',
      cause: 'string',
      reason: 'string',
      attributes: 'list<Attribute>',
    },
  })
  .registerType({ name: 'Finding', schema: { severity: 'string', code: 'string', message: 'string', path: 'string' } })
  .registerType({
    name: 'Unchecked',
    schema: { address: 'string', why: 'string', unreachable: 'bool', failed: 'bool', count: 'int' },
  })
  .registerVariable({
    name: 'plan',
    schema: {
      summary: {
        create: 'int',
        update: 'int',
        delete: 'int',
        replace: 'int',
        other: 'int',
        checked: 'int',
        unchecked: 'int',
      },
      changes: 'list<Change>',
      findings: 'list<Finding>',
      coverage: { checked: 'int', unchecked: 'list<Unchecked>' },
    },
  })
  .registerVariable({ name: 'stack', schema: { name: 'string', path: 'string', driver: 'string' } })
  .registerVariable({ name: 'environment', schema: { name: 'string', tier: 'string' } })
  // Null without a merge request, which a typed message could not be compared with; its fields are checked below.
  .registerVariable('mr', 'dyn')
  .registerVariable({ name: 'run', schema: { kind: 'string' } })

/** Takes the facts as the plain objects they are: they are ours, so their types need no second look at run time. */
const evaluator = VARIABLES.reduce((environment, name) => environment.registerVariable(name, 'dyn'), common())

/** Why an expression is refused, with the offset in it. */
export interface Refusal {
  why: string
  offset: number
}

/** Type-checks an expression. Throws the library's ParseError on bad syntax. */
export function checkExpression(expression: string): Refusal | null {
  const parsed = checker.parse(expression)
  const refusal = refusalOf(parsed.ast, { loops: 0 })
  if (refusal) return refusal
  const result: TypeCheckResult = parsed.check()
  if (!result.valid)
    return { why: result.error?.message ?? 'it has a type error', offset: result.error?.range?.start ?? 0 }
  if (result.type === 'bool' || result.type === 'dyn') return null
  return { why: `it gives ${result.type}, and a condition has to give true or false`, offset: 0 }
}

export const compileExpression = (expression: string): ((facts: { [variable: string]: unknown }) => unknown) =>
  evaluator.parse(expression)

/** The tree of an expression; null where it cannot be read. */
export function parseExpression(expression: string): ASTNode | null {
  try {
    return checker.parse(expression).ast
  } catch (thrown) {
    if (thrown instanceof ParseError) return null
    throw thrown
  }
}

function refusalOf(node: ASTNode, place: { loops: number }): Refusal | null {
  return refusedCall(node, place) ?? refusedField(node) ?? refusedGrowth(node, place) ?? refusedChild(node, place)
}

function refusedCall(node: ASTNode, place: { loops: number }): Refusal | null {
  if (node.op !== 'call' && node.op !== 'rcall') return null
  const name = node.args[0]
  const refuse = (why: string): Refusal => ({ why, offset: node.start })
  if (name === 'matches') return refuse('matches() is not available: use glob(), for example address.glob("*.prod-*")')
  if (LOOPS.has(name)) {
    return place.loops < MAX_LOOP_DEPTH ? null : refuse(`loops may nest ${MAX_LOOP_DEPTH} deep at most`)
  }
  return FUNCTIONS.has(name) ? null : refuse(`function ${name}() is not available in policies`)
}

function refusedField(node: ASTNode): Refusal | null {
  if (node.op !== '.' || node.args[0].op !== 'id' || node.args[0].args !== 'mr') return null
  const field = node.args[1]
  return MR_FIELDS.has(field) ? null : { why: `No such key: ${field}`, offset: node.pos }
}

/** `x + x` in a loop doubles with every link of a chain; adding a constant does not. */
function refusedGrowth(node: ASTNode, place: { loops: number }): Refusal | null {
  if (node.op !== '+' || place.loops === 0) return null
  if (node.args.some((side) => side.op === 'value')) return null
  return { why: 'inside a loop, one side of + has to be a constant', offset: node.start }
}

function refusedChild(node: ASTNode, place: { loops: number }): Refusal | null {
  const inside = { loops: place.loops + (node.op === 'rcall' && LOOPS.has(node.args[0]) ? 1 : 0) }
  for (const child of childrenOf(node)) {
    // What a loop runs over is evaluated once, outside of it.
    const receiver = node.op === 'rcall' && child === node.args[1]
    const refusal = refusalOf(child, receiver ? place : inside)
    if (refusal) return refusal
  }
  return null
}

/** Children by shape, so that an operator that a later version of the library adds is walked as well. */
export function childrenOf(node: ASTNode): ASTNode[] {
  const found: ASTNode[] = []
  const collect = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(collect)
    else if (typeof value === 'object' && value !== null && 'op' in value) found.push(value as ASTNode)
  }
  collect(node.args)
  return found
}
