import { evaluateApprovals, raised, type ApprovalOutcome, type ApprovalRules } from './approvals.ts'
import { requirementsOf } from './requirements/index.ts'
import type { GateStack, GateEnvironment, GateFacts, Requirement } from './facts.ts'

export interface GateOutcome {
  mergeable: boolean
  requirements: Requirement[]
  /** environment → approvals, with `required` as raised by policies. */
  approvals: { [environment: string]: ApprovalOutcome }
}

/**
 * Whether an MR may merge, and everything that is asked of it. Windows and freezes do not stop the merge: they hold the
 * deployment back, and the requirement says so.
 */
export function evaluateGate(facts: GateFacts): GateOutcome {
  const approvals = Object.fromEntries(
    facts.environments.map((environment) => [environment.name, approvalsOf(environment, facts)]),
  )
  const requirements = requirementsOf(facts, approvals)
  const mergeable = requirements.every((requirement) => requirement.satisfied || !requirement.blocking)
  return { mergeable, requirements, approvals }
}

function approvalsOf(environment: GateEnvironment, facts: GateFacts): ApprovalOutcome {
  const stacks = facts.stacks.filter((stack) => stack.environment === environment.name)
  return evaluateApprovals({
    rules: rulesOf(environment.rules, stacks),
    reviews: facts.reviews,
    stacks: environment.gateChange ? [...stacks, environment.gateChange] : stacks,
    authorId: facts.authorId,
    committerIds: facts.committerIds,
    teamsOf: facts.teamsOf,
    owners: facts.owners,
  })
}

/** A policy raises the number by one, once for the environment: ten stacks of one mistake are one reason to look. */
function rulesOf(rules: ApprovalRules, stacks: readonly GateStack[]): ApprovalRules {
  const asked = stacks.some(({ policies }) => policies.some(({ outcome }) => outcome === 'require-approval'))
  const outcome = asked ? raised(rules) : rules
  const destroys = stacks.some((stack) => stack.destroys)
  return destroys && outcome.required === 0 ? { ...outcome, required: 1 } : outcome
}
