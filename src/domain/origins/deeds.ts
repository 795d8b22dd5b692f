import type { Action, AppliedResource, Plan, ResourceChange } from '../plans/plan.ts'
import type { RunKind } from '../runs/run.ts'

/**
 * What a run did to one resource, as far as it matters to who may destroy it later. `found`: changed without ever having been
 * made, so it was there before. A replacement is a creation: the object that is there now is a new one. `attempted`: a creation
 * that failed or was not heard of again, and may have left something half made. `replacing`: a replacement that failed, after which either is there.
 */
export type DeedKind = 'created' | 'attempted' | 'replacing' | 'adopted' | 'found' | 'moved' | 'forgot' | 'deleted'

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
  const otherwise = resources === null ? 'lost' : 'failed'
  return plan.changes.flatMap((change) => deedsOfChange(change, became.get(change.address) ?? otherwise))
}

function deedsOfChange(change: ResourceChange, status: AppliedResource['status'] | 'lost'): Deed[] {
  const { address, previousAddress, importId } = change
  const has = (action: Action): boolean => change.actions.includes(action)
  const id = importId === undefined ? {} : { importId }
  const made = status === 'skipped' ? null : has('replace') ? replaced(status) : has('create') ? created(status) : null
  return [
    ...(previousAddress === undefined ? [] : [{ address, did: 'moved' as const, from: previousAddress }]),
    ...(has('import') ? [{ address, did: 'adopted' as const, ...id }] : []),
    ...(has('forget') ? [{ address, did: 'forgot' as const, ...id }] : []),
    ...(made === null ? [] : [{ address, did: made }]),
    ...(status === 'done' && has('delete') ? [{ address, did: 'deleted' as const }] : []),
    ...(isPlainUpdate(change) ? [{ address, did: 'found' as const }] : []),
  ]
}

const created = (status: 'done' | 'failed' | 'lost'): DeedKind => (status === 'done' ? 'created' : 'attempted')

/** One that failed may have left the old object where it was: only a finished one is a creation. */
const replaced = (status: 'done' | 'failed' | 'lost'): DeedKind => (status === 'done' ? 'created' : 'replacing')

/**
 * Whatever came of it, the plan has seen something there that this run has not made. Worth a record only where nothing else
 * says where it comes from.
 */
const isPlainUpdate = ({ actions, previousAddress }: ResourceChange): boolean =>
  previousAddress === undefined && actions.length === 1 && actions[0] === 'update'

/**
 * Whether deeds tell where what is at an address comes from, so that an update need not be noted as one of something found. An
 * attempt does not: what is there to be updated may as well be another's.
 *
 * @param deeds all about the address, oldest first
 */
export function tellsOrigin(deeds: readonly Deed[]): boolean {
  const last = deeds.at(-1)
  return last !== undefined && last.did !== 'attempted'
}
