import { shownCoverage, uncheckedCount } from '../../domain/plans/coverage.ts'
import type { Plan } from '../../domain/plans/plan.ts'
import { toolFacets } from '../../domain/facets.ts'
import type { Run } from '../../store/runs/runs.ts'
import type { StackPatch } from '../../store/stacks/stacks.ts'
import { specOfRun } from '../run-spec.ts'

/** Entries of what was not checked that are kept with a stack; the plan of the run has them all. */
const MAX_OBSERVED = 100

type Observed = Pick<StackPatch, 'observedCoverage' | 'observedChecked' | 'observedUnchecked' | 'tools'>

/** What a look has seen, as it is kept with the stack. */
export const observedOf = ({ coverage, toolVersions }: Pick<Plan, 'coverage' | 'toolVersions'>): Observed => ({
  tools: toolFacets(toolVersions),
  observedCoverage: shownCoverage(coverage, MAX_OBSERVED),
  observedChecked: coverage.checked,
  observedUnchecked: uncheckedCount(coverage),
})

/**
 * What is known of a stack right after a deployment, until it is checked: what the plan looked at. Parts that did not answer
 * then have answered meanwhile, or the apply would have failed; they were not looked at all the same. A run of a part of the
 * stack says nothing of the rest.
 */
export function deployedLook(run: Run): Observed {
  const { request } = specOfRun(run)
  const plan = run.plan as Plan | null
  if (plan === null || (request && (request.state !== undefined || request.targets.length > 0))) return {}
  const { checked, unchecked } = plan.coverage
  const coverage = { checked, unchecked: unchecked.map((entry) => ({ ...entry, unreachable: false })) }
  return observedOf({ ...plan, coverage })
}
