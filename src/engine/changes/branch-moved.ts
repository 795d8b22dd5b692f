import { openMergeRequests } from '../merge-requests/open.ts'
import { type EngineParts, repositoryOf } from '../parts.ts'
import { orderPreview } from '../run-tasks.ts'

/** A branch moved: MRs from it have a new head, MRs into it may have other plans. Where it is gone, both are over. */
export async function branchMoved(parts: EngineParts, repositoryId: string, branch: string): Promise<void> {
  const exists = (await repositoryOf(parts, repositoryId).resolve(`refs/heads/${branch}`)) !== null
  const { changes } = await parts.forges.of(repositoryId)
  for await (const mr of openMergeRequests(parts.store.db, { repositoryId, sourceBranch: branch })) {
    if (exists) await parts.store.transaction((tx) => orderPreview(tx, mr.id))
    else await changes.endAsPointless(mr.id, `branch "${branch}" was deleted`)
  }
  for await (const mr of openMergeRequests(parts.store.db, { repositoryId, targetBranch: branch })) {
    if (exists) await parts.store.transaction((tx) => orderPreview(tx, mr.id))
    else await changes.endAsPointless(mr.id, `target branch "${branch}" was deleted`)
  }
}
