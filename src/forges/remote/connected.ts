import type { GitRepository, GitService, RemoteRepository } from '../../git/repository.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import { createTurns } from '../../lib/take-turns.ts'
import { getRepository, type Repository } from '../../store/changes/repositories.ts'
import type { DataKeys } from '../../store/database/keys.ts'
import { type Connection, connectionOf } from '../../store/forges/connections.ts'
import type { Store } from '../../store/open.ts'
import type { Adapter, RemoteApi } from './api.ts'

/** What a connected forge works with. */
export interface RemoteParts {
  store: Store
  git: GitService
  keys: DataKeys
}

/** One connected repository: its row, its mirror, and the way to it. */
export interface Connected {
  store: Store
  connection: Connection
  repository: Repository
  git: GitRepository
  api: RemoteApi
  /** For git itself. */
  remote: RemoteRepository
  /** Brings the mirror to where the forge is. One at a time for each repository: two would be in each other's way. */
  fetch: () => Promise<void>
}

/** What a connection's secrets are sealed for. */
export const tokenContext = (repositoryId: string): string => `forge-token:${repositoryId}`
export const hookContext = (repositoryId: string): string => `forge-hook:${repositoryId}`

export type Connect = (repositoryId: string) => Promise<Connected>

/** The way to connected repositories; what a forge said of limits and ETags is kept between calls. */
export function connector({ store, git, keys }: RemoteParts, adapter: Adapter): Connect {
  const turns = createTurns()
  const apis = new Map<string, { tokenSealed: string; api: RemoteApi }>()
  return async (repositoryId) => {
    const doing = 'asking the forge of a repository'
    const repository = await getRepository(store.db, repositoryId)
    const connection = await connectionOf(store.db, repositoryId)
    if (!repository || !connection)
      throw new TrueupError('NOT_FOUND', { doing, why: `repository ${repositoryId} is not connected` })
    const { address, path, remoteId, tokenSealed } = connection
    const token = keys.open(tokenSealed, tokenContext(repositoryId)).toString('utf8')
    let known = apis.get(connection.id)
    if (known?.tokenSealed !== tokenSealed) {
      known = { tokenSealed, api: adapter.api({ address, token, clock: store.clock }, { id: remoteId }) }
      apis.set(connection.id, known)
    }
    const remote = { url: gitUrlOf(address, path), username: adapter.gitUser, password: token }
    const mirror = git.repository(repositoryId)
    const fetch = (): Promise<void> => turns.take(repositoryId, () => mirror.fetchBranches(remote))
    return { store, connection, repository, git: mirror, api: known.api, remote, fetch }
  }
}

/** Where git finds it: never an address that an answer names, which the token would go to. */
export const gitUrlOf = (address: string, path: string): string =>
  `${address}/${path.split('/').map(encodeURIComponent).join('/')}.git`
