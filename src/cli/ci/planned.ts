import type { CommandResult } from '../../domain/wire/plan-parts.ts'
import type { Plan } from '../../domain/plans/plan.ts'
import type { PolicyResult } from '../../domain/policies/policy.ts'
import type { ErrorBody } from '../../lib/errors/error.ts'

/** Why a stack is planned: its own files, what it takes from another one, or something that is not deployed yet. */
export type How = 'added' | 'changed' | 'removed' | 'downstream' | 'pending'

export interface PlannedStack {
  /** environment/name */
  stack: string
  driver: string
  how: How
  /** Absent where there is none. */
  plan?: Plan
  /** It takes what another stack of this plan is expected to give. */
  provisional: boolean
  policies: PolicyResult[]
  checks: CommandResult[]
  /** Why there is no plan. */
  error?: ErrorBody
  /** Why there is none yet: it takes what another stack gives only once it is applied. */
  later?: string
}

export interface PlanReport {
  /** Number of the merge request; null where there is none. */
  change: number | null
  head: string
  /** Commit of the target branch; null without a merge request. */
  target: string | null
  stacks: PlannedStack[]
  /** Whether `apply` can be held to it. */
  signed: boolean
  /** What is signed. */
  vouched: string | null
}

/** Whether a plan must not be merged: no plan, a policy that denies, or a check that fails. */
export const isRefused = ({ error, policies, checks }: PlannedStack): boolean =>
  error !== undefined ||
  policies.some(({ outcome }) => outcome === 'deny' || outcome === 'error') ||
  checks.some(({ ok }) => !ok)

export const hasChanges = ({ plan }: PlannedStack): boolean => plan !== undefined && plan.changes.length > 0

/** Exit code of `trueup ci plan`. */
export const exitOfPlan = ({ stacks }: Pick<PlanReport, 'stacks'>): 0 | 1 | 2 =>
  stacks.some(isRefused) ? 1 : stacks.some(hasChanges) ? 2 : 0
