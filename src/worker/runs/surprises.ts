import type { ApplyResult, DriverPlan, Finding } from '../../domain/plans/plan.ts'

/** More are counted and not named. */
const NAMED = 10

/**
 * A dry run foretells (Ansible's check mode, Puppet's noop, Chef's why-run), and applying decides again: what was changed
 * without standing in the approved plan is said on the run.
 */
export function withSurprises(result: ApplyResult, plan: DriverPlan): ApplyResult {
  const planned = new Set(plan.changes.map(({ address }) => address))
  const beyond = result.resources.filter(({ address, status }) => status !== 'skipped' && !planned.has(address))
  if (beyond.length === 0) return result
  const named = beyond.slice(0, NAMED).map(({ address }) => address)
  const more = beyond.length > NAMED ? ` and ${beyond.length - NAMED} more` : ''
  const finding: Finding = {
    severity: 'warning',
    code: 'beyond_plan',
    message: `changed without standing in the plan: ${named.join(', ')}${more}`,
  }
  return { ...result, findings: [...result.findings, finding] }
}
