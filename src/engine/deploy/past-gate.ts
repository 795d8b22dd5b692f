import type { MergeRequest } from '../../store/changes/merge-requests.ts'
import { judge } from '../merge-requests/gate.ts'
import type { EngineParts } from '../parts.ts'

/**
 * Environments in which a merge has not got what its gate asks for. Nobody merges past Trueup's own forge; elsewhere people
 * may, and then its plans are no approved ones there. A bypass is a person's own decision, on record.
 */
export async function unapprovedEnvironments(
  parts: EngineParts,
  mr: MergeRequest | null,
): Promise<ReadonlySet<string>> {
  if (!mr || mr.bypassReason !== null || (await parts.forges.of(mr.repositoryId)).gated) return new Set()
  const { outcome } = await judge(parts, mr)
  const lacking = outcome.requirements.filter(({ satisfied, blocking }) => blocking && !satisfied)
  return new Set(lacking.flatMap(({ environment }) => (environment === undefined ? [] : [environment])))
}
