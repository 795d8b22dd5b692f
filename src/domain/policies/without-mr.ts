import type { ASTNode } from '@marcbachmann/cel-js'
import type { PolicyConfig } from '../config/schema.ts'
import { childrenOf, parseExpression } from './language.ts'

/** Kinds of runs in which policies are asked and that may belong to no merge request, as people call them. */
const KINDS = {
  heal: 'heals',
  deploy: 'deployments of no merge request (the first push, a changed variable)',
  destroy: 'removals that a person orders',
} as const
type Kind = keyof typeof KINDS

/** What an expression may give: a text in quotes is that text, `any` everything that is no error. */
type Value = 'true' | 'false' | 'null' | 'any' | 'error' | `"${string}"`
type Values = ReadonlySet<Value>

/** A policy that cannot be evaluated in some kind of run; what cannot be evaluated blocks. */
export interface NeedsMr {
  /** Of the policy in its list. */
  index: number
  /** Where, in words. */
  runs: string[]
}

/**
 * Policies that look at the merge request where there is none. Each is evaluated for each kind of run with `mr` null and all other
 * facts unknown: it is named where an error is among what it may give. As in CEL, one side of `&&` and `||` that decides
 * absorbs the error of the other.
 */
export function policiesNeedingMr(policies: readonly PolicyConfig[]): NeedsMr[] {
  return policies.flatMap(({ when }, index) => {
    const node = parseExpression(when)
    if (node === null) return []
    const kinds = (Object.keys(KINDS) as Kind[]).filter((kind) => valuesOf(node, kind).has('error'))
    return kinds.length === 0 ? [] : [{ index, runs: kinds.map((kind) => KINDS[kind]) }]
  })
}

const set = (...values: Value[]): Values => new Set(values)
const BOTH: readonly Value[] = ['true', 'false']

function valuesOf(node: ASTNode, kind: Kind): Values {
  const of = (child: ASTNode): Values => valuesOf(child, kind)
  if (node.op === 'value') return set(literal(node.args))
  if (node.op === 'id') return set(node.args === 'mr' ? 'null' : 'any')
  if (node.op === '.') {
    const [receiver, field] = node.args
    if (receiver.op === 'id' && receiver.args === 'run' && field === 'kind') return set(`"${kind}"`)
    return member(of(receiver))
  }
  if (node.op === '[]') return strict([member(of(node.args[0])), of(node.args[1])])
  if (node.op === '!_') return each([booleans(of(node.args))], ([value]) => (value === 'true' ? 'false' : 'true'))
  if (node.op === '&&') return decided(of(node.args[0]), of(node.args[1]), 'false')
  if (node.op === '||') return decided(of(node.args[0]), of(node.args[1]), 'true')
  if (node.op === '?:') return chosen(booleans(of(node.args[0])), of(node.args[1]), of(node.args[2]))
  if (node.op === '==' || node.op === '!=') return compared(of(node.args[0]), of(node.args[1]), node.op === '==')
  if (node.op === 'in') return within(of(node.args[0]), node.args[1], of)
  if (node.op === 'call' && node.args[0] === 'has') return asked(node.args[1][0]!, of)
  if (node.op === 'call' && node.args[0] === 'dyn') return of(node.args[1][0]!)
  return strict(childrenOf(node).map(of))
}

function literal(value: unknown): Value {
  if (typeof value === 'string') return `"${value}"`
  return value === null ? 'null' : value === true ? 'true' : value === false ? 'false' : 'any'
}

/** A field of null is an error. */
const member = (receiver: Values): Values =>
  new Set([...receiver].map((value) => (value === 'null' ? 'error' : value === 'error' ? 'error' : 'any')))

/** `has` asks whether a field is there, and is no access to it; null has none. */
function asked(node: ASTNode, of: (node: ASTNode) => Values): Values {
  const receiver = node.op === '.' ? of(node.args[0]) : set('any')
  if (receiver.has('error')) return set(...BOTH, 'error')
  return receiver.size === 1 && receiver.has('null') ? set('false') : set(...BOTH)
}

/** Whatever it makes of its parts, an error in one of them may be its own. A loop over nothing meets none. */
const strict = (parts: readonly Values[]): Values =>
  parts.some((values) => values.has('error')) ? set('any', 'error') : set('any')

const booleans = (values: Values): Values => new Set([...values].flatMap((value) => (value === 'any' ? BOTH : [value])))

/** All combinations; one with an error is one. */
function each(parts: readonly Values[], make: (values: Value[]) => Value): Values {
  let found: Value[][] = [[]]
  for (const part of parts) found = found.flatMap((before) => [...part].map((value) => [...before, value]))
  return new Set(found.map((values) => (values.includes('error') ? 'error' : make(values))))
}

function decided(left: Values, right: Values, decisive: 'true' | 'false'): Values {
  const found = new Set<Value>()
  for (const a of booleans(left))
    for (const b of booleans(right)) {
      if (a === decisive || b === decisive) found.add(decisive)
      else found.add(a === 'error' || b === 'error' ? 'error' : a)
    }
  return found
}

function chosen(condition: Values, whenTrue: Values, whenFalse: Values): Values {
  return new Set([
    ...(condition.has('error') ? (['error'] as const) : []),
    ...(condition.has('true') ? whenTrue : []),
    ...(condition.has('false') ? whenFalse : []),
  ])
}

const compared = (left: Values, right: Values, wanted: boolean): Values =>
  new Set(
    [...each([left, right], ([a, b]) => (a === 'any' || b === 'any' ? 'any' : a === b ? 'true' : 'false'))].flatMap(
      (value) =>
        value === 'any' ? BOTH : value === 'error' || wanted ? [value] : [value === 'true' ? 'false' : 'true'],
    ),
  )

/** `run.kind in ["deploy", "heal"]`, as people ask for one of several. */
function within(item: Values, list: ASTNode, of: (node: ASTNode) => Values): Values {
  if (list.op !== 'list') return strict([item, of(list)])
  const items = list.args.map(of)
  const known = [...item, ...items.flatMap((values) => [...values])].every((value) => value.startsWith('"'))
  if (!known) return strict([item, ...items])
  return new Set([...item].map((value) => (items.some((values) => values.has(value)) ? 'true' : 'false')))
}
