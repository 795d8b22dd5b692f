import { parseDuration } from '../../domain/duration.ts'
import type { EngineParts } from '../parts.ts'
import { rulesSnapshot } from '../revisions/readable.ts'

/** An environment in which whoever approves or deploys has to have proven the second factor, and how long that lasts. */
export interface StepUp {
  environment: string
  withinMs: number
}

/** Those of these environments that ask for it, by the rules that count now; all of the repository where null. Strictest first. */
export async function stepUpsOf(
  parts: EngineParts,
  repositoryId: string,
  environments: readonly string[] | null,
): Promise<StepUp[]> {
  const snapshot = await rulesSnapshot(parts, repositoryId)
  return Object.entries(snapshot?.config?.environments ?? {})
    .filter(([name]) => environments === null || environments.includes(name))
    .flatMap(([environment, { stepUp }]) =>
      stepUp === undefined ? [] : [{ environment, withinMs: parseDuration(stepUp) }],
    )
    .sort((a, b) => a.withinMs - b.withinMs)
}
