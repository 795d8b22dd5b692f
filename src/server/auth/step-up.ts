import type { FastifyRequest } from 'fastify'
import { formatDuration } from '../../domain/duration.ts'
import { isFresh } from '../../domain/gates/step-up.ts'
import type { EngineParts } from '../../engine/parts.ts'
import { stepUpsOf } from '../../engine/stacks/step-up.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import { principalOf, repositoryOf } from './enforce.ts'

/**
 * Lets a request go on that approves or deploys in these environments (null: it may be any of the repository), where its login
 * has proven the second factor as lately as each of them asks. STEP_UP_REQUIRED otherwise, also for administrators.
 */
export async function requireStepUp(
  parts: EngineParts,
  request: FastifyRequest,
  environments: readonly string[] | null,
): Promise<void> {
  const [strictest] = await stepUpsOf(parts, repositoryOf(request).id, environments)
  if (!strictest) return
  const { environment, withinMs } = strictest
  if (isFresh(principalOf(request).provenAt, parts.store.clock.now(), withinMs)) return
  throw new TrueupError('STEP_UP_REQUIRED', {
    doing: `acting in environment "${environment}"`,
    why: `it asks for the second factor, proven by this login in the last ${formatDuration(withinMs)}`,
    details: { environment, withinMs },
  })
}

/** The environment of a stack `ENVIRONMENT/NAME`. */
export const environmentOf = (stack: string): string => stack.slice(0, stack.indexOf('/'))
