import type { OwnersDialect } from '../../domain/gates/code-owners.ts'
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

/** `dialectOf`: how the CODEOWNERS of a repository is read, which is another way once it is connected elsewhere. */
export function createSnapshotCache(dialectOf: (repositoryId: string) => Promise<OwnersDialect>): SnapshotCache {
  const cached = new Map<string, { dialect: OwnersDialect; snapshots: Map<string, Promise<Snapshot>> }>()
  return {
    async of(repositoryId, repository, treeOid) {
      const dialect = await dialectOf(repositoryId)
      let kept = cached.get(repositoryId)
      if (kept?.dialect !== dialect) {
        kept = { dialect, snapshots: new Map() }
        cached.set(repositoryId, kept)
      }
      const { snapshots } = kept
      const known = snapshots.get(treeOid)
      if (known) {
        snapshots.delete(treeOid)
        snapshots.set(treeOid, known)
        return await known
      }
      const latest = [...snapshots.values()].at(-1)
      const anew = () => buildSnapshot(repository, treeOid, { dialect })
      const made = latest ? latest.then((previous) => deriveSnapshot(repository, previous, treeOid), anew) : anew()
      snapshots.set(treeOid, made)
      // A fault of the object database is not a fact about the tree: it must not stay in the cache.
      made.catch(() => snapshots.delete(treeOid))
      if (snapshots.size > KEPT) snapshots.delete(snapshots.keys().next().value!)
      return await made
    },
  }
}
