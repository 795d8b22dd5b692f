import { type ErrorBody, TrueupError } from '../../lib/errors/error.ts'
import type { MergeRequest } from '../../store/changes/merge-requests.ts'
import type { Queries } from '../../store/database/context.ts'
import { isForkBranch, isVouched } from '../../store/forges/forks.ts'

/** Why nothing of this head is looked at: it comes from a fork, and nobody who may has let it be planned. Null where it may be. */
export async function heldFork(db: Queries, mr: MergeRequest, headOid: string): Promise<ErrorBody | null> {
  if (!isForkBranch(mr.sourceBranch) || (await isVouched(db, mr.id, headOid))) return null
  return new TrueupError('FORK_HELD', {
    doing: `planning ${headOid.slice(0, 10)}`,
    why: 'it comes from a fork, and no maintainer has asked for the plans of this head',
  }).toJSON()
}
