import type { GitRepository, GitService, RemoteRepository } from '../../git/repository.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import { createTurns } from '../../lib/take-turns.ts'
import { getRepository, type Repository } from '../../store/changes/repositories.ts'
import type { DataKeys } from '../../store/database/keys.ts'
import { FORK_BRANCHES, forkBranch } from '../../store/forges/forks.ts'
import { type Connection, connectionOf } from '../../store/forges/connections.ts'
import type { Store } from '../../store/open.ts'
import type { RemoteApi } from './api.ts'
import type { Reaches } from './reach.ts'

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
  /** Brings the head of a merge request from a fork. */
  fetchFork: (number: number) => Promise<void>
}

export type Connect = (repositoryId: string) => Promise<Connected>

/** The way to connected repositories. */
export function connector({ store, git }: RemoteParts, reaches: Reaches): Connect {
  const turns = createTurns()
  return async (repositoryId) => {
    const doing = 'asking the forge of a repository'
    const repository = await getRepository(store.db, repositoryId)
    const connection = await connectionOf(store.db, repositoryId)
    if (!repository || !connection)
      throw new TrueupError('NOT_FOUND', { doing, why: `repository ${repositoryId} is not connected` })
    const { api, adapter, token } = reaches.of(connection)
    const url = gitUrlOf(connection.address, connection.path)
    const password = (await api.password?.()) ?? token
    const remote = { url, username: adapter.gitUser, password }
    const mirror = git.repository(repositoryId)
    const fetch = (): Promise<void> =>
      turns.take(repositoryId, () => mirror.fetchBranches(remote, undefined, FORK_BRANCHES))
    const fetchFork = (number: number): Promise<void> =>
      turns.take(repositoryId, () =>
        mirror.fetchRef(remote, adapter.headRef(number), `refs/heads/${forkBranch(number)}`),
      )
    return { store, connection, repository, git: mirror, api, remote, fetch, fetchFork }
  }
}

/** Where git finds it: never an address that an answer names, which the token would go to. */
export const gitUrlOf = (address: string, path: string): string =>
  `${address}/${path.split('/').map(encodeURIComponent).join('/')}.git`
