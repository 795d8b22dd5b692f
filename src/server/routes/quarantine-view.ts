import type { EngineParts } from '../../engine/parts.ts'
import { getMergeRequest } from '../../store/changes/merge-requests.ts'
import type { Quarantined } from '../../store/stacks/quarantine.ts'
import { getStack } from '../../store/stacks/stacks.ts'
import type { Quarantine } from '../schemas/stacks.ts'
import { nameOf } from './user-name.ts'

/** `environment/name` of a stack; empty where it is gone. */
export const stackKeyOf = async (parts: EngineParts, stackId: string): Promise<string> => {
  const stack = await getStack(parts.store.db, stackId)
  return stack ? `${stack.environment}/${stack.name}` : ''
}

export async function showQuarantine(parts: EngineParts, row: Quarantined): Promise<Quarantine> {
  const { id, stackId, commitOid, reason, mrId, createdById, createdAt, liftedAt } = row
  const mr = mrId === null ? undefined : await getMergeRequest(parts.store.db, mrId)
  return {
    id,
    stack: await stackKeyOf(parts, stackId),
    stackId,
    commit: commitOid,
    reason,
    mr: mr?.number ?? null,
    by: createdById === null ? null : await nameOf(parts, createdById),
    createdAt,
    liftedAt,
  }
}
