import type { DriverPlan, ResourceChange } from '../plans/plan.ts'
import { plan } from '../plans/fixtures.ts'
import type { PolicyFacts } from './facts.ts'

/** Facts of a preview in staging, for tests. */
export const factsOf = (
  changes: ResourceChange[],
  more: Partial<PolicyFacts> = {},
  planMore: Partial<DriverPlan> = {},
): PolicyFacts => ({
  plan: plan(changes, planMore),
  stack: { name: 'web', path: 'apps/web', driver: 'files' },
  environment: { name: 'staging', tier: 'staging' },
  mr: { author: 'ann', title: 'Add a cache', draft: false, sourceBranch: 'cache', targetBranch: 'main' },
  run: { kind: 'preview' },
  ...more,
})
