import type { Found, Place } from '../../forges/forges.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import { appendAudit } from '../../store/audit/audit.ts'
import { newestMrNumber } from '../../store/changes/merge-requests.ts'
import { getRepository, patchRepository, type Repository } from '../../store/changes/repositories.ts'
import { connectionOf } from '../../store/forges/connections.ts'
import { type EngineParts, userActor } from '../parts.ts'
import { createRepository } from '../repositories.ts'
import { lookAtForge } from './looks.ts'

export interface ConnectWish extends Place {
  /** What it is called here; the last part of its address where absent. */
  name?: string
  actorId: string
}

/**
 * Connects a repository of a forge: asks first what the token may, then writes, makes the webhook and reads what is there.
 * Errors: INVALID_REQUEST, CONFLICT, FORGE_*.
 */
export async function connectRepository(parts: EngineParts, wish: ConnectWish): Promise<Repository> {
  const { connections } = parts.forges
  const found = await connections.examine(wish)
  const { actorId, name = found.path.split('/').at(-1)! } = wish
  const { forge, defaultBranch } = found
  const connected = {
    forge,
    write: (tx: Parameters<typeof connections.write>[0], id: string) => connections.write(tx, id, found, actorId),
  }
  const repository = await createRepository(parts, { name, defaultBranch, actorId, connected })
  await note(parts, repository, actorId, 'repository.connect', found)
  await connections.hook(repository.id, hookUrl(parts, repository.id))
  await lookAtForge(parts, repository.id)
  return repository
}

/** Where the forge is to tell what happens. */
export const hookUrl = ({ settings }: EngineParts, repositoryId: string): string =>
  `${settings.publicUrl()}/api/v1/forge-hooks/${repositoryId}`

/** Gives a connection another token, and its webhook another secret. Errors: as for connecting; CONFLICT (another repository). */
export async function rotateConnection(
  parts: EngineParts,
  { repositoryId, token, actorId }: { repositoryId: string; token: string; actorId: string },
): Promise<void> {
  const doing = 'rotating the token of a connection'
  const { repository, connection } = await connectedOf(parts, repositoryId, doing)
  const { connections } = parts.forges
  const { address, path, forge, remoteId } = connection
  const found = await connections.examine({ forge, url: `${address}/${path}`, token, again: true })
  if (found.remoteId !== remoteId)
    throw new TrueupError('CONFLICT', { doing, why: `at ${address}/${path} there is another repository now` })
  await parts.store.transaction((tx) => connections.replaceToken(tx, connection, found))
  await note(parts, repository, actorId, 'repository.rotate', found)
  await connections.hook(repositoryId, hookUrl(parts, repositoryId))
  await lookAtForge(parts, repositoryId)
}

/**
 * Takes a connection away: the repository stays with all that is known of it, and is hosted here from now on. Gives why
 * the webhook still stands there, or null.
 */
export async function disconnectRepository(
  parts: EngineParts,
  { repositoryId, actorId }: { repositoryId: string; actorId: string },
): Promise<string | null> {
  const { repository, connection } = await connectedOf(parts, repositoryId, 'disconnecting a repository')
  const left = await parts.forges.connections.remove(repositoryId, async (tx) => {
    const nextMrNumber = (await newestMrNumber(tx, repositoryId)) + 1
    await patchRepository(tx, repositoryId, { forge: 'builtin', nextMrNumber })
  })
  await note(parts, repository, actorId, 'repository.disconnect', connection)
  return left
}

async function connectedOf(parts: EngineParts, repositoryId: string, doing: string) {
  const repository = await getRepository(parts.store.db, repositoryId)
  const connection = await connectionOf(parts.store.db, repositoryId)
  if (repository && connection) return { repository, connection }
  throw new TrueupError('CONFLICT', { doing, why: 'its merge requests live here: it is not connected to a forge' })
}

async function note(
  parts: EngineParts,
  { id, name }: Repository,
  actorId: string,
  action: string,
  { address, path }: Pick<Found, 'address' | 'path'>,
): Promise<void> {
  const data = { name, address, path }
  const event = { actor: userActor(actorId), action, subject: id, repositoryId: id, data }
  await parts.store.transaction((tx) => appendAudit(tx, event))
}
