import { type EngineParts, repositoryOf } from '../parts.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'

/** The snapshot of what a commit holds. */
export async function snapshotOf(parts: EngineParts, repositoryId: string, commitOid: string): Promise<Snapshot> {
  const git = repositoryOf(parts, repositoryId)
  return await parts.snapshots.of(repositoryId, git, (await git.commit(commitOid)).tree)
}
