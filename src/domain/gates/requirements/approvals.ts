import type { ApprovalOutcome } from '../approvals.ts'
import { type EnvironmentKind, listed, met, unmet } from './kind.ts'

export const approvals: EnvironmentKind = ({ environment: { name, gateChange }, approvals: outcome }) => {
  if (!outcome) return [unmet('approvals', 'approvals could not be judged', 'Reload the merge request.', name)]
  const rules = gateChange ? `; this changes the rules of ${name}: ${listed(gateChange.what)}` : ''
  if (!outcome.satisfied) {
    const message = `${outcome.missing.join('; ')}${uncounted(outcome)}${rules}`
    return [unmet('approvals', message, 'Ask for the missing approval.', name)]
  }
  if (outcome.required === 0 && outcome.counted.length === 0)
    return [met('approvals', `needs no approval${rules}`, name)]
  const by = listed(outcome.counted.map(({ userName }) => userName))
  return [met('approvals', `approved by ${by || 'its code owners'}${rules}`, name)]
}

/** The votes that do not count, in parentheses; nothing where all do. */
export function uncounted({ refused }: ApprovalOutcome): string {
  if (refused.length === 0) return ''
  return ` (not counted: ${listed(refused.map(({ userName, why }) => `${userName} ${why}`))})`
}
