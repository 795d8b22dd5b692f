import type { MergeRequest } from '../../store/changes/merge-requests.ts'

/** A rollback exactly as Trueup made it: with a commit of somebody on top it is a change like any other. */
export function isRollback(mr: MergeRequest): boolean {
  if (mr.origin !== 'rollback') return false
  return (mr.originDetail as { commitOid?: string } | null)?.commitOid === mr.headOid
}
