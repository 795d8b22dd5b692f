import { EvaluationError, ParseError, TypeError as CelTypeError } from '@marcbachmann/cel-js'
import { TrueupError } from '../../lib/errors/error.ts'
import type { PolicyConfig } from '../config/schema.ts'
import { isDeadline, withinDeadline } from './deadline.ts'
import { celFacts, type CelFacts, type PolicyFacts } from './facts.ts'
import { checkExpression, compileExpression, type Refusal } from './language.ts'

export type { PolicyFacts } from './facts.ts'

/** One over the largest plan takes 0.3 s (2026), three times that where others work; a slower one blocks instead of the server. */
export const POLICY_TIMEOUT_MS = 2_000
/** What all policies of a file may take together: meanwhile the server does nothing else. */
export const POLICIES_TIMEOUT_MS = 3_000

/** `error`: the expression could not be evaluated; it blocks as `deny` does, because a broken gate is no open gate. */
export interface PolicyResult {
  name: string
  outcome: 'pass' | 'deny' | 'require-approval' | 'warn' | 'error'
  message: string
}

export interface CompiledPolicy {
  readonly name: string
  /** What follows when the condition holds. */
  readonly verdict: PolicyConfig['then']
  readonly message: string
  /** The condition. Throws what the expression library throws. */
  readonly holds: (facts: CelFacts) => unknown
}

/**
 * Parses and type-checks a policy's CEL expression.
 * @throws TrueupError CONFIG_INVALID with line and column in the expression
 */
export function compilePolicy(policy: PolicyConfig): CompiledPolicy {
  const refusal = refusalOf(policy.when)
  if (refusal) {
    const { line, column } = positionOf(policy.when, refusal.offset)
    throw new TrueupError('CONFIG_INVALID', {
      doing: `reading the condition of policy "${policy.name}"`,
      why: `line ${line}, column ${column}: ${firstLine(refusal.why)}`,
      next: 'Correct the expression under `when:`; docs/policies.md lists the fields and functions.',
      details: { policy: policy.name, line, column },
    })
  }
  return {
    name: policy.name,
    verdict: policy.then,
    message: policy.message ?? `the condition holds: ${policy.when.trim()}`,
    holds: compileExpression(policy.when),
  }
}

function refusalOf(expression: string): Refusal | null {
  try {
    return checkExpression(expression)
  } catch (error) {
    if (!isCelError(error)) throw error
    return { why: error.summary, offset: error.range?.start ?? 0 }
  }
}

/** One result per policy, in their order. */
export function evaluatePolicies(policies: readonly CompiledPolicy[], facts: PolicyFacts): PolicyResult[] {
  if (policies.length === 0) return []
  const values = celFacts(facts)
  const until = performance.now() + POLICIES_TIMEOUT_MS
  return policies.map((policy) => evaluatePolicy(policy, values, until - performance.now()))
}

function evaluatePolicy(policy: CompiledPolicy, facts: CelFacts, leftMs: number): PolicyResult {
  const { name } = policy
  const broken = (why: string): PolicyResult => ({
    name,
    outcome: 'error',
    message: `could not be evaluated, and blocks until it can: ${why}`,
  })
  if (leftMs < 1) return broken(`the policies before it took ${POLICIES_TIMEOUT_MS} ms together`)
  const timeoutMs = Math.min(POLICY_TIMEOUT_MS, Math.ceil(leftMs))
  try {
    const holds = withinDeadline(timeoutMs, () => policy.holds(facts))
    if (typeof holds !== 'boolean') return broken('its condition gives neither true nor false')
    return holds ? { name, outcome: policy.verdict, message: policy.message } : { name, outcome: 'pass', message: '' }
  } catch (error) {
    if (isDeadline(error)) return broken(`its condition takes longer than ${timeoutMs} ms`)
    if (isCelError(error)) return broken(firstLine(error.summary))
    // Whatever else a condition runs into (out of stack, say) must not open the gate either.
    return broken(error instanceof Error ? firstLine(error.message) : 'its condition stopped')
  }
}

type CelError = ParseError | EvaluationError | CelTypeError

const isCelError = (error: unknown): error is CelError =>
  error instanceof ParseError || error instanceof EvaluationError || error instanceof CelTypeError

const firstLine = (text: string): string => text.split('\n', 1)[0] ?? ''

function positionOf(text: string, offset: number): { line: number; column: number } {
  const lines = text.slice(0, offset).split('\n')
  return { line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 }
}
