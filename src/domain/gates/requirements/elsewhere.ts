import type { ApprovalOutcome } from '../approvals.ts'
import type { Requirement } from '../facts.ts'
import { uncounted } from './approvals.ts'
import { met, unmet } from './kind.ts'

/** Approvals of what belongs to no environment: owned files outside all stacks, a request for changes of a change of text. */
export function elsewhere(outcome: ApprovalOutcome | null): Requirement[] {
  if (outcome === null) return []
  if (outcome.satisfied) return [met('approvals', 'approved by the code owners of files outside the stacks')]
  return [unmet('approvals', `${outcome.missing.join('; ')}${uncounted(outcome)}`, 'Ask for the missing approval.')]
}
