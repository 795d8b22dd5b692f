import { TrueupError } from '../../lib/errors/error.ts'
import { type OpenRollback, openRollbacks } from '../rolled-back/open-rollbacks.ts'
import type { RollbackDetail } from '../rolled-back/detail.ts'
import type { EngineParts } from '../parts.ts'
import type { RollbackPlan } from './plan.ts'

/**
 * Refuses what open rollbacks take back already: a second merge request would only revert the same once more. One that
 * takes back more than they do goes on, and so does one of a newer bad state. Errors: ROLLBACK_OPEN names them.
 */
export async function refuseIfOpen(parts: EngineParts, plan: RollbackPlan): Promise<void> {
  const open = await openRollbacks(parts, plan.repository.id)
  const covering = coveredBy(plan, open)
  if (covering === null) return
  const numbers = [...new Set(covering.map(({ mr }) => mr.number))]
  const names = numbers.map((number) => `!${number}`).join(', ')
  const [first] = numbers
  throw new TrueupError('ROLLBACK_OPEN', {
    doing: `rolling back ${plan.name}`,
    why: `${names} ${numbers.length > 1 ? 'are' : 'is'} open and take${numbers.length > 1 ? '' : 's'} it back already`,
    next: `See what it waits for with \`trueup mr show ${first}\`; \`trueup mr close ${first}\` first where it is not the way back that you want.`,
    details: { mergeRequests: numbers },
  })
}

/** Those that together take back all that the plan does; null where something of it is left. */
function coveredBy(
  { returns, removed, revertCommit }: RollbackPlan,
  open: readonly OpenRollback[],
): OpenRollback[] | null {
  const whole = new Set(revertCommit === null ? returns.map(({ badCommit }) => badCommit) : [revertCommit])
  // A merge that is reverted whole is reverted for all the stacks that it changed.
  const same = open.find(({ detail }) => detail.revertCommit !== null && whole.has(detail.revertCommit))
  if (same && whole.size === 1) return [same]
  // Only a revert of the same merge brings removed stacks back.
  if (removed.length > 0) return null
  const found: OpenRollback[] = []
  for (const { stack, badDigest } of returns) {
    const takes = ({ stackId, badDigest: theirs }: RollbackDetail['stacks'][number]): boolean =>
      stackId === stack.id && theirs === badDigest
    const covering = open.find(({ detail }) => detail.stacks.some(takes))
    if (!covering) return null
    found.push(covering)
  }
  return found.length > 0 ? found : null
}
