import type { ErrorBody } from '../../lib/errors/error.ts'
import type { Unchecked } from '../plans/plan.ts'
import type { ApprovalFacts, ApprovalRules } from './approvals.ts'
import type { OwnersProblem } from './code-owners.ts'
import type { OwnedFile } from './owned-files.ts'
import type { PolicyResult } from '../policies/policy.ts'
import type { RunState } from '../runs/run.ts'
import type { StackKey } from '../stacks/stack.ts'
import type { SignatureFacts } from '../signatures/facts.ts'
import type { WindowState } from '../windows/windows.ts'

export interface GateStack {
  key: StackKey
  environment: string
  name: string
  /** The newest preview of the current head; null while none was made. */
  preview: { state: RunState; message: string | null } | null
  /** Digest of its plan; null while there is none. */
  digest: string | null
  /** Planned before a stack that it needs is deployed as the MR has it: with predicted inputs, or without what it brings. */
  provisional: boolean
  /** Those stacks. */
  awaits?: readonly StackKey[]
  /**
   * Its plan waits for its turn, for an approval to be made by workers that the target branch does not give it, or for the word
   * of whoever may bring what is executed.
   */
  held?: 'turn' | 'pool' | 'executable'
  /** What is executed and comes with the change, in words; of those held for it. */
  brings?: string
  /** Planned without anything of the environment, since nobody vouches for the change. */
  untrusted?: boolean
  /** The MR removes the stack and what it made: always needs an approval, whatever the environment asks for. */
  destroys?: boolean
  /** Set where a rollback destroys what needs a person (`domain/origins/`), whatever the fast lane says: why. */
  rollbackDestroys?: string
  /** Set where the MR brings back a state that was rolled back: why it was. */
  quarantined?: string
  /** What of it could not be planned because of an error. */
  unplannable: readonly Unchecked[]
  policies: readonly PolicyResult[]
  checks: readonly { name: string; ok: boolean }[]
}

export interface GateEnvironment {
  name: string
  rules: ApprovalRules
  /** Approvals count whose givers had proven the second factor within this time; null or absent: all. */
  stepUpMs?: number | null
  /** Errors while planning a part stop the merge, or are only told. */
  unplannable: 'block' | 'allow'
  window: WindowState
  /** Set where this MR changes the rules of the environment (`gates/changes.ts`): approvals bind to it as to a plan. */
  gateChange?: { key: StackKey; digest: string; what: readonly string[] }
}

export interface GateFacts extends Pick<ApprovalFacts, 'reviews' | 'makers' | 'teamsOf' | 'owned'> {
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
  /** Set where the target branch has rules that came past the gate: this is judged by those of the commit, which hold until then. */
  heldRules?: { branch: string; commitOid: string }
  /** False until the affected stacks of the current head are known. */
  previewed: boolean
  stacks: readonly GateStack[]
  /** Environments that have a stack in `stacks`, or whose rules this MR changes; rules as of the target branch. */
  environments: readonly GateEnvironment[]
  /**
   * Owned files that no environment of this MR asks for, because they are in no stack of it, while the repository has an
   * environment that asks for code owners.
   */
  strayOwned: readonly OwnedFile[]
  /** What of CODEOWNERS says nothing: as the target branch has it, and what this MR brings. */
  ownersProblems: { standing: readonly OwnersProblem[]; brought: readonly OwnersProblem[] }
  /** Of each environment of the target branch that asks for signatures, whether the MR touches it or not. */
  signatures?: readonly SignatureFacts[]
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
  | 'signatures'
  | 'rollback'
  | 'approvals'
  | 'owners'
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
