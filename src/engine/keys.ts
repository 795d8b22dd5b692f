import { TrueupError } from '../lib/errors/error.ts'
import { getRepository } from '../store/changes/repositories.ts'
import type { EngineParts } from './parts.ts'

export const hashKeyContext = (repositoryId: string): string => `hash-key:${repositoryId}`

/** Key of a repository's keyed hashes of sensitive values. */
export async function hashKeyOf(parts: EngineParts, repositoryId: string): Promise<Buffer> {
  const repository = await getRepository(parts.store.db, repositoryId)
  if (!repository)
    throw new TrueupError('NOT_FOUND', { doing: 'reading a hash key', why: `there is no repository ${repositoryId}` })
  return parts.keys.open(repository.hashKeySealed, hashKeyContext(repositoryId))
}
