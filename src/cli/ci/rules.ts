import type { TrueupConfig } from '../../domain/config/schema.ts'
import type { Plan } from '../../domain/plans/plan.ts'
import { compilePolicy, evaluatePolicies, type PolicyFacts, type PolicyResult } from '../../domain/policies/policy.ts'
import type { RunKind } from '../../domain/runs/run.ts'
import type { StackDefinition } from '../../domain/stacks/definition.ts'
import { type EnvironmentRules, resolveEnvironment } from '../../domain/stacks/environment.ts'

/** Whose words judge a stack: its rules, and the policies beside it. */
export interface Rules {
  environment: EnvironmentRules
  policies(plan: Plan): PolicyResult[]
}

/**
 * The rules for a stack. `configs`: the first that knows its environment, which for a merge request is that of the target: a
 * change does not judge itself.
 */
export function rulesFor(
  definition: StackDefinition,
  configs: readonly TrueupConfig[],
  about: { mr: PolicyFacts['mr']; kind: RunKind },
): Rules {
  const { environment: name, path, driver } = definition
  const config = configs.find(({ environments }) => Object.hasOwn(environments, name)) ?? configs.at(-1)!
  const environment = resolveEnvironment(name, config)
  const compiled = (configs[0]?.policies ?? []).map(compilePolicy)
  return {
    environment,
    policies: (plan) =>
      evaluatePolicies(compiled, {
        plan,
        stack: { name: definition.name, path, driver },
        environment: { name, tier: environment.tier },
        mr: about.mr,
        run: { kind: about.kind },
      }),
  }
}
