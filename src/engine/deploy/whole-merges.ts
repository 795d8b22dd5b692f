import type { MergeRequest } from '../../store/changes/merge-requests.ts'
import type { EngineParts } from '../parts.ts'
import { beforeMerge } from '../revisions/before-merge.ts'

/** A commit of the default branch that is enacted, with the merge request that it is of. */
export interface Landing {
  commitOid: string
  mr: MergeRequest | null
}

/**
 * The steps of a default branch with each merge request as one of them, also where the forge has put its commits there one by one:
 * what was approved is all of them together, and the states in between were nobody's plan.
 */
export async function wholeMerges(
  parts: EngineParts,
  repositoryId: string,
  cursor: string | null,
  steps: readonly string[],
): Promise<Landing[]> {
  const { merging, gated } = await parts.forges.of(repositoryId)
  const landings: Landing[] = []
  // Oldest first: the order in which they are recorded is that in which they came.
  for (const commitOid of steps) {
    const mr = await merging.mergedWith(repositoryId, commitOid)
    const before = mr && !gated && landings.length > 0 ? await beforeMerge(parts, mr) : null
    const at = landings.findIndex((landing) => landing.commitOid === before)
    if (before !== null && (at >= 0 || before === cursor)) landings.splice(at + 1)
    landings.push({ commitOid, mr })
  }
  return landings
}
