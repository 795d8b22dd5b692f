import type { ErrorBody } from '../../lib/errors/error.ts'
import { evaluateApprovals, raised, type ApprovalFacts, type ApprovalOutcome, type ApprovalRules } from './approvals.ts'
import { requirementsOf } from './requirements.ts'
import type { PolicyResult } from '../policies/policy.ts'
import type { RunState } from '../runs/run.ts'
import type { StackKey } from '../stacks/stack.ts'
import type { WindowState } from '../windows/windows.ts'

export interface GateStack {
  key: StackKey
  environment: string
  name: string
  /** The newest preview of the current head; null while none was made. */
  preview: { state: RunState; message: string | null } | null
  /** Digest of its plan; null while there is none. */
  digest: string | null
  /** Planned with predicted inputs, because a stack that it needs changes in the same MR. */
  provisional: boolean
  /** The MR removes the stack and what it made: always needs an approval, whatever the environment asks for. */
  destroys?: boolean
  /** Set where the MR brings back a state that was rolled back: why it was. */
  quarantined?: string
  policies: readonly PolicyResult[]
  checks: readonly { name: string; ok: boolean }[]
}

export interface GateEnvironment {
  name: string
  rules: ApprovalRules
  window: WindowState
  /** Set where this MR changes the rules of the environment (`gates/changes.ts`): approvals bind to it as to a plan. */
  gateChange?: { key: StackKey; digest: string; what: readonly string[] }
}

export interface GateFacts extends Pick<ApprovalFacts, 'reviews' | 'authorId' | 'committerIds' | 'teamsOf' | 'owners'> {
  state: 'open' | 'merging' | 'merged' | 'closed'
  draft: boolean
  /** Paths in conflict with the target branch. */
  conflicts: readonly string[]
  /** Problems of trueup.yaml in the merge result. */
  problems: readonly ErrorBody[]
  /**
   * Set where trueup.yaml of the target branch itself cannot be read: why, and the commit whose rules stand in for it; null
   * where none ever could be read.
   */
  unreadableTarget?: { branch: string; problem: ErrorBody; commitOid: string | null }
  /** False until the affected stacks of the current head are known. */
  previewed: boolean
  stacks: readonly GateStack[]
  /** Environments that have a stack in `stacks`, or whose rules this MR changes; rules as of the target branch. */
  environments: readonly GateEnvironment[]
  unresolvedThreads: number
  /** Unresolved threads only warn unless this is set. */
  threadsBlock?: boolean
}

export type RequirementName =
  | 'state'
  | 'draft'
  | 'config'
  | 'conflicts'
  | 'plans'
  | 'checks'
  | 'policies'
  | 'quarantine'
  | 'approvals'
  | 'threads'
  | 'window'

/** One thing that is asked of the MR. Only `blocking` ones stop the merge. */
export interface Requirement {
  name: RequirementName
  environment?: string
  satisfied: boolean
  blocking: boolean
  message: string
  /** What to do about it; null when satisfied. */
  next: string | null
}

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
