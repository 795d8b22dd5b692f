import { type EnvironmentRules, resolveEnvironment } from '../../domain/stacks/environment.ts'
import type { EngineParts } from '../parts.ts'
import { rulesSnapshot } from '../revisions/readable.ts'

/** Rules of an environment as the default branch says them now; null where it is not configured (any more). */
export async function environmentRules(
  parts: EngineParts,
  repositoryId: string,
  environment: string,
): Promise<EnvironmentRules | null> {
  const snapshot = await rulesSnapshot(parts, repositoryId)
  if (!snapshot?.config || !Object.hasOwn(snapshot.config.environments, environment)) return null
  return resolveEnvironment(environment, snapshot.config)
}
