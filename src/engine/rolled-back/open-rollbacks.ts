import { listMergeRequests, type MergeRequest } from '../../store/changes/merge-requests.ts'
import type { EngineParts } from '../parts.ts'
import type { RollbackDetail } from './detail.ts'

export interface OpenRollback {
  mr: MergeRequest
  detail: RollbackDetail
}

/** Rollbacks that are not merged yet. */
export async function openRollbacks({ store }: EngineParts, repositoryId: string): Promise<OpenRollback[]> {
  const found: OpenRollback[] = []
  let cursor: string | undefined
  do {
    const filter = { repositoryId, states: ['open', 'merging'] as const }
    const page = await listMergeRequests(store.db, filter, { limit: 100, ...(cursor && { cursor }) })
    for (const mr of page.items)
      if (mr.origin === 'rollback') found.push({ mr, detail: mr.originDetail as unknown as RollbackDetail })
    cursor = page.next ?? undefined
  } while (cursor !== undefined)
  return found
}
