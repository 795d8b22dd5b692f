import type { GitRepository } from '../../git/repository.ts'
import { buildSnapshot, deriveSnapshot } from './build.ts'
import type { Snapshot } from './snapshot.ts'

/** Snapshots kept per repository; one of 10,000 stacks holds about 15 MB. */
const KEPT = 8

/** Snapshots by tree; a new one is derived from the latest, so that a push costs what it changed. */
export interface SnapshotCache {
  /** `commitOrTree` may be any oid that names a tree. */
  of(repositoryId: string, repository: GitRepository, treeOid: string): Promise<Snapshot>
}

export function createSnapshotCache(): SnapshotCache {
  const cached = new Map<string, Map<string, Promise<Snapshot>>>()
  return {
    async of(repositoryId, repository, treeOid) {
      const snapshots = cached.get(repositoryId) ?? new Map<string, Promise<Snapshot>>()
      cached.set(repositoryId, snapshots)
      const known = snapshots.get(treeOid)
      if (known) {
        snapshots.delete(treeOid)
        snapshots.set(treeOid, known)
        return await known
      }
      const latest = [...snapshots.values()].at(-1)
      const made = latest
        ? latest.then(
            (previous) => deriveSnapshot(repository, previous, treeOid),
            () => buildSnapshot(repository, treeOid),
          )
        : buildSnapshot(repository, treeOid)
      snapshots.set(treeOid, made)
      // A fault of the object database is not a fact about the tree: it must not stay in the cache.
      made.catch(() => snapshots.delete(treeOid))
      if (snapshots.size > KEPT) snapshots.delete(snapshots.keys().next().value!)
      return await made
    },
  }
}
