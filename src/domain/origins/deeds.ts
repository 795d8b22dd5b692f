import type { Action, AppliedResource, Plan, ResourceChange } from '../plans/plan.ts'
import type { RunKind } from '../runs/run.ts'

/**
 * What a run did to one resource, as far as it matters to who may destroy it later. `found`: changed without ever having been
 * made, so it was there before. A replacement is a creation: the object that is there now is a new one.
 */
export type DeedKind = 'created' | 'adopted' | 'found' | 'moved' | 'forgot' | 'deleted'

export interface Deed {
  address: string
  did: DeedKind
  /** Of a move: the address before. */
  from?: string
  /** Of what was adopted or forgotten: what the tool takes to adopt it (again). */
  importId?: string
}

/** A deed with the run that did it. */
export interface RecordedDeed extends Deed {
  runId: string
  kind: RunKind
}

/**
 * Deeds of a run by its plan and what came of it; `resources` null: nobody knows, so everything that may have been done
 * counts as done. Tools have no word on moves, imports and what they let go of, so of a half-failed apply these count, too:
 * each of them makes a later deletion wait for a person, and none of them allows one.
 */
export function deedsOf(plan: Pick<Plan, 'changes'>, resources: readonly AppliedResource[] | null): Deed[] {
  const became = new Map(resources?.map(({ address, status }) => [address, status]))
  return plan.changes.flatMap((change) => deedsOfChange(change, became.get(change.address) ?? 'failed'))
}

function deedsOfChange(change: ResourceChange, status: AppliedResource['status']): Deed[] {
  const { address, previousAddress, importId } = change
  const has = (action: Action): boolean => change.actions.includes(action)
  // A replacement that failed may have left the old object where it was: only a finished one is a creation.
  const isMade = has('replace') ? status === 'done' : has('create') && status !== 'skipped'
  const id = importId === undefined ? {} : { importId }
  return [
    ...(previousAddress === undefined ? [] : [{ address, did: 'moved' as const, from: previousAddress }]),
    ...(has('import') ? [{ address, did: 'adopted' as const, ...id }] : []),
    ...(has('forget') ? [{ address, did: 'forgot' as const, ...id }] : []),
    ...(isMade ? [{ address, did: 'created' as const }] : []),
    ...(status === 'done' && has('delete') ? [{ address, did: 'deleted' as const }] : []),
    ...(status === 'done' && isPlainUpdate(change) ? [{ address, did: 'found' as const }] : []),
  ]
}

/** Worth a record only where the resource has none yet. */
const isPlainUpdate = ({ actions, previousAddress }: ResourceChange): boolean =>
  previousAddress === undefined && actions.length === 1 && actions[0] === 'update'
