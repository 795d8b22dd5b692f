import { createSnapshotCache } from '../../engine/snapshot/cache.ts'
import type { Snapshot, StackSource } from '../../engine/snapshot/snapshot.ts'
import type { TrueupConfig } from '../../domain/config/schema.ts'
import { levels } from '../../domain/stacks/order.ts'
import type { GitRepository } from '../../git/repository.ts'
import { errorFromBody, TrueupError } from '../../lib/errors/error.ts'

/** A tree of the repository whose trueup.yaml can be read. */
export interface ReadTree extends Snapshot {
  config: TrueupConfig
}

/** Reads trees of the repository as the server does. */
export interface Trees {
  /** Of a commit or a tree. Throws what is wrong with its configuration: of one that cannot be read nothing is enacted. */
  read(oid: string): Promise<ReadTree>
  /** The same as it is; null where it cannot be read, or there is no trueup.yaml. */
  find(oid: string): Promise<ReadTree | null>
}

export function openTrees(repository: GitRepository): Trees {
  const snapshots = createSnapshotCache(async () => 'builtin')
  const of = async (oid: string): Promise<Snapshot> => {
    const [[, tree] = []] = await repository.pathOids(oid, ['.'])
    return await snapshots.of('', repository, tree?.oid ?? oid)
  }
  return {
    async read(oid) {
      const snapshot = await of(oid)
      const [problem] = snapshot.problems
      if (problem) throw errorFromBody(problem)
      if (isRead(snapshot)) return snapshot
      throw new TrueupError('CONFIG_MISSING', {
        doing: `reading trueup.yaml of ${oid.slice(0, 12)}`,
        why: 'there is none',
      })
    },
    async find(oid) {
      const snapshot = await of(oid)
      return snapshot.problems.length === 0 && isRead(snapshot) ? snapshot : null
    },
  }
}

const isRead = (snapshot: Snapshot): snapshot is ReadTree => snapshot.config !== null

/** Upstream stacks first. */
export const inOrder = ({ stacks }: Snapshot): StackSource[] =>
  levels([...stacks.values()].map(({ definition }) => definition))
    .flat()
    .map(({ key }) => stacks.get(key)!)
