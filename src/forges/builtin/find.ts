import { TrueupError } from '../../lib/errors/error.ts'
import type { Queries } from '../../store/database/context.ts'
import { getMergeRequest, type MergeRequest } from '../../store/changes/merge-requests.ts'

/** The merge request, or NOT_FOUND. */
export async function mustGetMr(queries: Queries, mrId: string, doing: string): Promise<MergeRequest> {
  const mr = await getMergeRequest(queries, mrId)
  if (!mr) throw new TrueupError('NOT_FOUND', { doing, why: `there is no merge request ${mrId}` })
  return mr
}

/** The merge request while it is open, or CONFLICT that says what it is now. */
export async function mustGetOpenMr(queries: Queries, mrId: string, doing: string): Promise<MergeRequest> {
  const mr = await mustGetMr(queries, mrId, doing)
  if (mr.state !== 'open') throw new TrueupError('CONFLICT', { doing, why: `!${mr.number} is ${mr.state}` })
  return mr
}
