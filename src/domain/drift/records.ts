import { canonicalJson, type Json } from '../../lib/json.ts'
import { covering } from '../plans/coverage.ts'
import type { Action, ChangedBy, Plan, ResourceChange } from '../plans/plan.ts'

/** One way in which reality left what was deployed. `attribute` is empty for a whole resource. */
export interface DriftItem {
  address: string
  attribute: string
  /** What Git says; null where the resource or attribute should not exist, `AFTER_APPLY` where that is not known yet. */
  expected: Json
  /** What is there; null where nothing is. */
  actual: Json
  /** Both values are keyed hashes. */
  sensitive: boolean
  actions: Action[]
  /** Who made it so, where the target tells. */
  by: ChangedBy | null
}

/** A stored record that is `open` or `accepted`. */
export interface DriftRecordView {
  id: string
  address: string
  attribute: string
  expected: Json
  actual: Json
  state: 'open' | 'accepted'
  /** Milliseconds; null = accepted without end. */
  acceptedUntil: number | null
}

export interface DriftUpdate {
  id: string
  state: 'open' | 'accepted'
  item: DriftItem
  lastSeenAt: number
  /** Why an accepted record is open again. */
  reopened?: 'expired' | 'changed'
}

export interface DriftReconciliation {
  opened: DriftItem[]
  updated: DriftUpdate[]
  closed: { id: string; state: 'gone' }[]
}

/** Stand for a whole resource, whose attributes say nothing more. */
export const PRESENT = 'present'
export const ABSENT = 'absent'
/** Stands for a value that only the apply will tell. */
export const AFTER_APPLY = '(known after apply)'

/**
 * The drift that a plan of the deployed revision shows: what apply would write is expected, what it would overwrite is
 * actual. A resource that is missing or surplus is one item, not one per attribute. Unstable attributes change by
 * themselves and are no drift; reading a data source is none either.
 */
export function driftFromPlan(plan: Pick<Plan, 'changes'>): DriftItem[] {
  return plan.changes.flatMap(driftOf)
}

function driftOf(change: ResourceChange): DriftItem[] {
  const { address, actions, by = null } = change
  const whole = (expected: Json, actual: Json): DriftItem[] => [
    { address, attribute: '', expected, actual, sensitive: false, actions, by },
  ]
  if (actions.every((action) => action === 'read' || action === 'none')) return []
  if (actions.includes('create')) return whole(PRESENT, ABSENT)
  if (actions.includes('delete') || actions.includes('forget')) return whole(ABSENT, PRESENT)
  if (change.attributes.length === 0) return whole(PRESENT, null)
  return change.attributes
    .filter((attribute) => !attribute.unstable)
    .map((attribute) => ({
      address,
      attribute: attribute.path,
      expected: attribute.unknown ? AFTER_APPLY : (attribute.after ?? null),
      actual: attribute.before ?? null,
      sensitive: attribute.sensitive ?? false,
      actions,
      by: attribute.by ?? by,
    }))
}

/**
 * What becomes of the stored records after a check. Accepted drift stays accepted until its time is over or the actual
 * value is no longer the one that was accepted. Records of resources that the tool could not check (`unchecked`, with
 * everything below them) are left alone: not having looked is no evidence.
 */
export function reconcileDrift(
  records: readonly DriftRecordView[],
  items: readonly DriftItem[],
  now: number,
  unchecked: readonly { address: string }[] = [],
): DriftReconciliation {
  const found = new Map(items.map((item) => [keyOf(item), item]))
  const known = new Set(records.map(keyOf))
  const unseen = covering(unchecked)
  const result: DriftReconciliation = {
    opened: [...found].filter(([key]) => !known.has(key)).map(([, item]) => item),
    updated: [],
    closed: [],
  }
  for (const record of records) {
    const item = found.get(keyOf(record))
    if (item) result.updated.push(updateOf(record, item, now))
    else if (!unseen(record.address)) result.closed.push({ id: record.id, state: 'gone' })
  }
  return result
}

const keyOf = ({ address, attribute }: { address: string; attribute: string }): string =>
  JSON.stringify([address, attribute])

function updateOf(record: DriftRecordView, item: DriftItem, now: number): DriftUpdate {
  const update = { id: record.id, item, lastSeenAt: now }
  if (record.state === 'open') return { ...update, state: 'open' }
  if (canonicalJson(record.actual) !== canonicalJson(item.actual)) {
    return { ...update, state: 'open', reopened: 'changed' }
  }
  if (record.acceptedUntil !== null && record.acceptedUntil <= now) {
    return { ...update, state: 'open', reopened: 'expired' }
  }
  return { ...update, state: 'accepted' }
}
