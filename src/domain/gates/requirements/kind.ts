import type { ApprovalOutcome } from '../approvals.ts'
import type { GateEnvironment, GateFacts, GateStack, Requirement } from '../facts.ts'

/** A kind of requirement that is asked of the MR as a whole; none where it has nothing to say. */
export type ChangeKind = (facts: GateFacts) => Requirement[]

/** A kind of requirement that is asked once in each environment; none where it has nothing to say. */
export type EnvironmentKind = (facts: EnvironmentFacts) => Requirement[]

export interface EnvironmentFacts {
  environment: GateEnvironment
  /** The affected stacks that lie in it. */
  stacks: readonly GateStack[]
  /** Undefined where nobody judged its approvals. */
  approvals: ApprovalOutcome | undefined
}

export const met = (name: Requirement['name'], message: string, environment?: string): Requirement => ({
  name,
  ...(environment !== undefined && { environment }),
  satisfied: true,
  blocking: true,
  message,
  next: null,
})

export const unmet = (name: Requirement['name'], message: string, next: string, environment?: string): Requirement => ({
  ...met(name, message, environment),
  satisfied: false,
  next,
})

/** Unmet, but no reason to hold the merge back. */
export const warning = (...[name, message, next, environment]: Parameters<typeof unmet>): Requirement => ({
  ...unmet(name, message, next, environment),
  blocking: false,
})

/** The first five of a list, and how many more there are. */
export function listed(items: readonly string[]): string {
  const shown = items.slice(0, 5).join(', ')
  return items.length > 5 ? `${shown} and ${items.length - 5} more` : shown
}
