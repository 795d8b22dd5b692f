import type { Plan } from '../plans/plan.ts'
import { comparePlans, describeDifference, type PlanDifference } from '../plans/compare.ts'
import { failedOf } from '../plans/coverage.ts'
import { isEmpty, isInSync } from '../plans/summary.ts'
import type { PolicyResult } from '../policies/policy.ts'
import type { RunKind } from '../runs/run.ts'

/** What is known when a state-changing run has made its fresh plan. */
export interface DecisionFacts {
  kind: Extract<RunKind, 'deploy' | 'heal' | 'destroy'>
  plan: Plan
  /** The plan that people approved (on the MR, or of this run); null where nobody was asked. */
  approved: Plan | null
  /** Why the plan of a rollback needs a person; null where it does not. */
  rollbackDestroys?: string | null
  /** A person, and not only a rule, said yes to `approved`. */
  approvedByPerson?: boolean
  /** Why the merge request had no plan to approve; null where it had one, or there was no merge request. */
  unplanned?: string | null
  /** A person approved exactly this digest of this very run. */
  approvedHere: boolean
  /** Unapproved changes must not be applied in this environment. */
  protected: boolean
  policies: readonly PolicyResult[]
  /** Set when a heal would destroy more than allowed. */
  brake: string | null
  /** The run before this one was lost while applying with a driver whose apply is not idempotent. */
  afterLostApply: boolean
  quarantined: boolean
  /** Whether an error while planning a part needs a person (`unplannable:` of the environment). */
  unplannable: 'block' | 'allow'
}

export type DeployDecision =
  | { action: 'nothing' }
  | { action: 'apply'; why: 'approved' | 'fewer_than_approved' | 'unprotected' | 'heal' }
  | { action: 'wait'; reason: WaitReason; message: string; differences: PlanDifference[] }
  | { action: 'refuse'; reason: 'policy_denied' | 'quarantined'; message: string }

export type WaitReason =
  | 'not_approved'
  | 'plan_changed'
  | 'destroys'
  | 'brake'
  | 'rollback_destroys'
  | 'previous_attempt_lost'
  | 'policy_requires_approval'
  | 'unplannable'

/**
 * What becomes of a fresh plan. Invariant: in a protected environment nothing is applied that is not an approved plan or
 * strictly less of it; destroying a stack and repeating a lost apply always take a person. Seeing no change is nothing to do
 * only where everything was looked at; a heal answers to what was seen, so it has nothing to do where nothing was.
 */
export function decideDeploy(facts: DecisionFacts): DeployDecision {
  const { plan, approved } = facts
  if (facts.kind === 'heal' ? isEmpty(plan) : isInSync(plan)) return { action: 'nothing' }
  if (facts.quarantined) {
    const message = 'this desired state was rolled back and is quarantined'
    return { action: 'refuse', reason: 'quarantined', message }
  }
  const denials = facts.policies.filter((policy) => policy.outcome === 'deny' || policy.outcome === 'error')
  if (denials.length > 0) {
    const message = denials.map((policy) => `${policy.name}: ${policy.message}`).join('; ')
    return { action: 'refuse', reason: 'policy_denied', message }
  }
  if (facts.approvedHere) return { action: 'apply', why: 'approved' }
  const wait = (reason: WaitReason, message: string, differences: PlanDifference[] = []): DeployDecision => ({
    action: 'wait',
    reason,
    message,
    differences,
  })
  if (facts.afterLostApply) {
    return wait('previous_attempt_lost', 'the worker was lost while applying; look at what is left before it goes on')
  }
  const comparison = approved ? comparePlans(approved, plan) : null
  const isApproved = comparison?.verdict === 'equal' || comparison?.verdict === 'fewer'
  if (facts.kind === 'destroy' && !isApproved) {
    return wait('destroys', 'destroying a stack needs an approval', comparison?.differences)
  }
  if (facts.rollbackDestroys && !(isApproved && facts.approvedByPerson))
    return wait('rollback_destroys', facts.rollbackDestroys, comparison?.differences)
  const asks = facts.policies.find((policy) => policy.outcome === 'require-approval')
  const [broken, ...others] = facts.unplannable === 'allow' ? [] : failedOf(plan)
  if (broken && !isApproved) {
    const more = others.length > 0 ? ` (and ${others.length} more)` : ''
    const what = `${broken.address === '*' ? 'a part of the stack' : broken.address} could not be planned`
    return wait('unplannable', `${what}: ${broken.why}${more}`, comparison?.differences)
  }
  if (facts.kind === 'heal') {
    if (facts.brake !== null) return wait('brake', facts.brake)
    return asks ? wait('policy_requires_approval', `${asks.name}: ${asks.message}`) : { action: 'apply', why: 'heal' }
  }
  if (comparison?.verdict === 'equal') return { action: 'apply', why: 'approved' }
  if (comparison?.verdict === 'fewer') return { action: 'apply', why: 'fewer_than_approved' }
  if (asks) return wait('policy_requires_approval', `${asks.name}: ${asks.message}`, comparison?.differences)
  if (!facts.protected) return { action: 'apply', why: 'unprotected' }
  if (!comparison) return wait('not_approved', facts.unplanned ?? 'no approved plan exists for this change')
  const [first] = comparison.differences
  const more = comparison.differences.length > 1 ? ` (and ${comparison.differences.length - 1} more)` : ''
  const what = first ? `${describeDifference(first)}${more}` : 'the plan differs'
  return wait('plan_changed', `not what was approved: ${what}`, comparison.differences)
}
