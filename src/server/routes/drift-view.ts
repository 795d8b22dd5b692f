import type { EngineParts } from '../../engine/parts.ts'
import { type DriftRecord as DriftRow, unpackActions } from '../../store/stacks/drift.ts'
import type { DriftRecord } from '../schemas/drift.ts'
import { type Names, namesOf } from './names.ts'

export async function showDrifts(parts: EngineParts, rows: readonly DriftRow[]): Promise<DriftRecord[]> {
  const names = await namesOf(parts, {
    stacks: rows.map(({ stackId }) => stackId),
    users: rows.map(({ acceptedById }) => acceptedById),
  })
  return rows.map((row) => oneOf(row, names))
}

export const showDrift = async (parts: EngineParts, row: DriftRow): Promise<DriftRecord> =>
  (await showDrifts(parts, [row]))[0]!

function oneOf(row: DriftRow, names: Names): DriftRecord {
  return {
    id: row.id,
    stack: names.stack(row.stackId),
    stackId: row.stackId,
    address: row.address,
    attribute: row.attribute,
    expected: row.expected,
    actual: row.actual,
    actions: unpackActions(row.actions),
    state: row.state,
    since: row.since,
    lastSeenAt: row.lastSeenAt,
    closedAt: row.closedAt,
    rightUntil: row.rightUntil,
    changedBy: row.by,
    healCount: row.healCount,
    accepted:
      row.acceptedReason === null
        ? null
        : {
            by: row.acceptedById === null ? null : names.user(row.acceptedById),
            reason: row.acceptedReason,
            until: row.acceptedUntil,
          },
    run: row.runId,
  }
}
