import { TrueupError } from '../../lib/errors/error.ts'
import { type ForgeGroup, forgeGroups, putForgeGroups } from '../../store/forges/groups.ts'
import type { Groups } from '../forge.ts'
import type { Adapter } from './api.ts'
import type { Connect } from './connected.ts'

/** What a forge says when a group is not there, or not to be seen by the account of Trueup. */
const UNSEEN: readonly string[] = ['FORGE_GONE', 'FORGE_PERMISSION']

/** Groups of people on the forge, read when a decision hangs on them and kept with their age. */
export function remoteGroups({ name: forge }: Adapter, connect: Connect): Groups {
  return {
    async read(repositoryId, names, maxAgeMs) {
      const { store, api, connection } = await connect(repositoryId)
      const now = store.clock.now()
      const known = await forgeGroups(store.db, repositoryId)
      const found: { [name: string]: ForgeGroup } = {}
      for (const name of names) {
        const before = known[name]
        if (before && before.at + maxAgeMs > now) continue
        if (!name.startsWith(`${forge}:`)) {
          found[name] = { members: [], at: now, why: `the repository is on ${forge}` }
          continue
        }
        found[name] = await api
          .groupMembers(name.slice(forge.length + 1))
          .then((members) => ({ members, at: now, why: null }))
          .catch((thrown: unknown) => {
            if (!(thrown instanceof TrueupError && UNSEEN.includes(thrown.code))) throw thrown
            return { members: [], at: now, why: `${connection.botName} sees no such group` }
          })
      }
      if (Object.keys(found).length > 0) await store.transaction((tx) => putForgeGroups(tx, repositoryId, found))
    },
  }
}
