import type { Forge } from '../forge.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import { isForkBranch } from '../../store/forges/forks.ts'
import { createTurns } from '../../lib/take-turns.ts'
import type { Adapter } from './api.ts'
import { remoteChanges } from './changes.ts'
import { connector, type RemoteParts } from './connected.ts'
import { remoteGroups } from './groups.ts'
import { look } from './look.ts'
import { remoteMerging } from './merging.ts'
import type { Reaches } from './reach.ts'
import { remoteTalk } from './talk.ts'

/** A forge that answers over a network: one adapter speaks its API, everything else is the same for all. */
export function remoteForge(parts: RemoteParts, adapter: Adapter, reaches: Reaches): Forge {
  const connect = connector(parts, reaches)
  const turns = createTurns()
  return {
    name: adapter.name,
    can: adapter.can,
    gated: false,
    changes: remoteChanges(parts, adapter, connect),
    ...remoteTalk(parts, adapter, connect),
    merging: remoteMerging(parts, connect),
    groups: remoteGroups(adapter, connect),
    branches: {
      async move(repositoryId, branch, newOid, oldOid) {
        if (isForkBranch(branch)) {
          const why = 'it is the branch of a fork, which Trueup does not push to'
          throw new TrueupError('FORGE_CANNOT', { doing: `moving "${branch}"`, why })
        }
        const { git, remote, fetch } = await connect(repositoryId)
        if (!(await git.pushBranch({ ...remote, branch }, newOid, oldOid))) return false
        await fetch()
        return true
      },
    },
    // One after the other: a webhook and the clock may ask for it at once.
    look: (repositoryId) => turns.take(repositoryId, () => look(connect, repositoryId)),
  }
}
