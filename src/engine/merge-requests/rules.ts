import { type EnvironmentRules, resolveEnvironment } from '../../domain/stacks/environment.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'

/**
 * Rules of an environment as an MR meets them: always those of the target branch, never the MR's own. An environment
 * that the MR brings along has the rules it says, but at least one approval: otherwise a new name would be a way around
 * the rules of the place behind it.
 */
export function rulesFor(environment: string, target: Snapshot, result: Snapshot): EnvironmentRules {
  if (target.config && Object.hasOwn(target.config.environments, environment)) {
    return resolveEnvironment(environment, target.config)
  }
  if (!result.config) throw new Error(`environment ${environment} stands in neither branch`)
  const rules = resolveEnvironment(environment, result.config)
  // The very first configuration of a repository has no target to be judged by.
  if (target.configOid === null) return rules
  return { ...rules, approvals: { ...rules.approvals, required: Math.max(1, rules.approvals.required) } }
}
