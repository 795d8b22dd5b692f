import type { DataKeys } from '../../store/database/keys.ts'
import type { Connection } from '../../store/forges/connections.ts'
import type { Store } from '../../store/open.ts'
import type { ForgeName } from '../forge.ts'
import type { Adapter, RemoteApi } from './api.ts'

type Remote = Exclude<ForgeName, 'builtin'>
export type Adapters = { readonly [name in Remote]: Adapter }

/** How a connection is reached, with its token open. */
export interface Reached {
  adapter: Adapter
  api: RemoteApi
  token: string
}

/** The way to each connection; what a forge said of limits and ETags is kept between calls, until it is forgotten. */
export interface Reaches {
  of(connection: Connection): Reached
  /** The repository is connected no more. */
  forget(repositoryId: string): void
}

/** What a connection's token is sealed for. */
export const tokenContext = (repositoryId: string): string => `forge-token:${repositoryId}`

export function createReaches({ store, keys }: { store: Store; keys: DataKeys }, adapters: Adapters): Reaches {
  const known = new Map<string, { connectionId: string; tokenSealed: string; api: RemoteApi }>()
  return {
    of({ id, repositoryId, forge, address, remoteId, tokenSealed }) {
      const adapter = adapters[forge]
      const token = keys.open(tokenSealed, tokenContext(repositoryId)).toString('utf8')
      const before = known.get(repositoryId)
      if (before?.connectionId === id && before.tokenSealed === tokenSealed) return { adapter, token, api: before.api }
      const api = adapter.api({ address, token, clock: store.clock }, { id: remoteId })
      known.set(repositoryId, { connectionId: id, tokenSealed, api })
      return { adapter, token, api }
    },
    forget: (repositoryId) => void known.delete(repositoryId),
  }
}
