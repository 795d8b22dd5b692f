import { evaluateApprovals, raised, type ApprovalOutcome, type ApprovalRules } from './approvals.ts'
import { requirementsOf } from './requirements/index.ts'
import { withStepUp } from './step-up.ts'
import type { GateStack, GateEnvironment, GateFacts, Requirement } from './facts.ts'

export interface GateOutcome {
  mergeable: boolean
  requirements: Requirement[]
  /** environment → approvals, with `required` as raised by policies. */
  approvals: { [environment: string]: ApprovalOutcome }
  /** Of what belongs to no environment; null where there is nothing of that kind. */
  elsewhere: ApprovalOutcome | null
}

/**
 * Whether an MR may merge, and everything that is asked of it. Windows and freezes do not stop the merge: they hold the
 * deployment back, and the requirement says so.
 */
export function evaluateGate(facts: GateFacts): GateOutcome {
  const approvals = Object.fromEntries(
    facts.environments.map((environment) => [environment.name, approvalsOf(environment, facts)]),
  )
  const elsewhere = elsewhereOf(facts)
  const requirements = requirementsOf(facts, approvals, elsewhere)
  const mergeable = requirements.every((requirement) => requirement.satisfied || !requirement.blocking)
  return { mergeable, requirements, approvals, elsewhere }
}

function approvalsOf(environment: GateEnvironment, facts: GateFacts): ApprovalOutcome {
  const stacks = facts.stacks.filter((stack) => stack.environment === environment.name)
  return evaluateApprovals({
    rules: rulesOf(environment.rules, stacks),
    reviews: withStepUp(facts.reviews, environment.stepUpMs ?? null),
    stacks: environment.gateChange ? [...stacks, environment.gateChange] : stacks,
    makers: facts.makers,
    teamsOf: facts.teamsOf,
    owned: facts.owned,
  })
}

/** A change of files that no environment judges: they have their owners all the same, and a request for changes blocks. */
function elsewhereOf(facts: GateFacts): ApprovalOutcome | null {
  const alone = facts.environments.length === 0
  if (facts.strayOwned.length === 0 && !alone) return null
  const outcome = evaluateApprovals({
    rules: { required: 0, from: [], codeOwners: true },
    // In an environment it is said already.
    reviews: alone ? facts.reviews : facts.reviews.filter(({ verdict }) => verdict === 'approve'),
    stacks: [],
    makers: facts.makers,
    teamsOf: facts.teamsOf,
    owned: facts.strayOwned,
  })
  return facts.strayOwned.length > 0 || !outcome.satisfied ? outcome : null
}

/** A policy raises the number by one, once for the environment: ten stacks of one mistake are one reason to look. */
function rulesOf(rules: ApprovalRules, stacks: readonly GateStack[]): ApprovalRules {
  const asked = stacks.some(({ policies }) => policies.some(({ outcome }) => outcome === 'require-approval'))
  const outcome = asked ? raised(rules) : rules
  const destroys = stacks.some((stack) => stack.destroys || stack.rollbackDestroys !== undefined)
  return destroys && outcome.required === 0 ? { ...outcome, required: 1 } : outcome
}
