import { TrueupError } from '../lib/errors/error.ts'
import type { EngineParts } from './parts.ts'
import { environmentRules } from './stacks/environment-rules.ts'

/** What people say about an environment for a while: a freeze, a notice. */
export interface EnvironmentStatement {
  repositoryId: string
  environment: string
  /** Milliseconds; null = until it is taken back. */
  until: number | null
}

/** INVALID_REQUEST where its end has passed, NOT_FOUND where the default branch has no such environment. */
export async function assertSayable(
  parts: EngineParts,
  { repositoryId, environment, until }: EnvironmentStatement,
  doing: string,
): Promise<void> {
  if (until !== null && until <= parts.store.clock.now())
    throw new TrueupError('INVALID_REQUEST', { doing, why: 'its end is in the past', next: 'Name a later time.' })
  if ((await environmentRules(parts, repositoryId, environment)) !== null) return
  const why = `the default branch's trueup.yaml has no environment "${environment}"`
  throw new TrueupError('NOT_FOUND', { doing, why })
}
