import type { EngineParts } from '../../engine/parts.ts'
import { type DriftRecord as DriftRow, unpackActions } from '../../store/stacks/drift.ts'
import { getStack } from '../../store/stacks/stacks.ts'
import type { DriftRecord } from '../schemas/drift.ts'
import { nameOf } from './user-name.ts'

export async function showDrift(parts: EngineParts, row: DriftRow): Promise<DriftRecord> {
  const stack = await getStack(parts.store.db, row.stackId)
  return {
    id: row.id,
    stack: stack ? `${stack.environment}/${stack.name}` : '',
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
    healCount: row.healCount,
    accepted:
      row.acceptedReason === null
        ? null
        : {
            by: row.acceptedById === null ? null : await nameOf(parts, row.acceptedById),
            reason: row.acceptedReason,
            until: row.acceptedUntil,
          },
    run: row.runId,
  }
}
