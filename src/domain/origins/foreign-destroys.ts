import type { Plan } from '../plans/plan.ts'
import type { RecordedDeed } from './deeds.ts'
import { type Origin, originOf } from './origin.ts'

/** Something that a rollback would delete or replace although what is rolled back did not create it. */
export interface ForeignDestroy {
  address: string
  /** In words: `web was imported by !12, not created`. */
  why: string
}

export interface RollbackFacts {
  /** Deeds of the stack about what the plan destroys, oldest first. */
  deeds: readonly RecordedDeed[]
  /** Whether a run belongs to what is rolled back. */
  isRolledBack: (this: void, runId: string) => boolean
  /** A run for people: the merge request that it was of, or itself. */
  nameOf: (this: void, runId: string) => string
}

/**
 * What of a rollback's plan needs a person: deletions and replacements of all that the rolled-back change did not make. What
 * is not on record counts as not made by it.
 */
export function foreignDestroys(plan: Pick<Plan, 'changes'>, facts: RollbackFacts): ForeignDestroy[] {
  return plan.changes.flatMap(({ address, previousAddress, actions }) => {
    if (!actions.includes('delete') && !actions.includes('replace')) return []
    const origin = originOf(previousAddress ?? address, facts.deeds)
    const makers = origin.how === 'created' && origin.runId !== null ? [origin.runId, ...origin.replacing] : []
    return makers.length > 0 && makers.every(facts.isRolledBack)
      ? []
      : [{ address, why: reasonOf(address, origin, facts) }]
  })
}

function reasonOf(address: string, origin: Origin, { isRolledBack, nameOf }: RollbackFacts): string {
  const by = origin.runId === null ? '' : nameOf(origin.runId)
  const moved = origin.moves.find(({ runId }) => isRolledBack(runId))
  const move = moved ? `, and only moved here from ${moved.from} by ${nameOf(moved.runId)}` : ''
  switch (origin.how) {
    case 'adopted':
      return `${address} was imported by ${by}, not created${move}`
    case 'found':
      return `${address} was there before ${by} first changed it${move}`
    case 'created': {
      const other = origin.replacing.find((runId) => !isRolledBack(runId))
      if (other !== undefined && isRolledBack(origin.runId!))
        return `${address} may have been replaced by ${nameOf(other)}, which is not rolled back${move}`
      return `${address} was created by ${by}, which is not rolled back${move}`
    }
    case 'unknown':
      return move === ''
        ? `nothing on record says that the rolled-back change created ${address}`
        : `${address} was there before${move.replace(', and only', ', only')}`
  }
}

/** Resources named; the plan has them all. */
const NAMED = 5

export function describeForeign(found: readonly ForeignDestroy[]): string {
  const more = found.length > NAMED ? `; and ${found.length - NAMED} more` : ''
  const shown = found.slice(0, NAMED).map(({ why }) => why)
  return `it destroys what the rolled-back change did not create: ${shown.join('; ')}${more}`
}
