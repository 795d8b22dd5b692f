import { randomBytes } from 'node:crypto'
import { TrueupError } from '../lib/errors/error.ts'
import { newId } from '../lib/ids.ts'
import type { Queries } from '../store/database/context.ts'
import { appendAudit } from '../store/audit/audit.ts'
import { setMember } from '../store/people/members.ts'
import {
  createRepository as insertRepository,
  findRepositoryByName,
  type Repository,
} from '../store/changes/repositories.ts'
import { hashKeyContext } from './keys.ts'
import { type EngineParts, repositoryOf, userActor } from './parts.ts'

export interface NewRepository {
  name: string
  defaultBranch: string
  actorId: string
  /** Of one whose merge requests live elsewhere: written in the transaction that makes it. */
  connected?: { forge: Repository['forge']; write(tx: Queries, repositoryId: string): Promise<unknown> }
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/

/** Makes an empty repository, whose creator is its admin. Errors: INVALID_REQUEST (name), CONFLICT (taken). */
export async function createRepository(parts: EngineParts, wish: NewRepository): Promise<Repository> {
  const doing = `creating repository "${wish.name}"`
  if (!NAME.test(wish.name) || wish.name.endsWith('.git') || wish.name.includes('..')) {
    const why = 'a name has letters, digits, dot, dash and underscore, at most 100, and does not end in ".git"'
    throw new TrueupError('INVALID_REQUEST', { doing, why, next: 'Choose another name.' })
  }
  if (await findRepositoryByName(parts.store.db, wish.name)) {
    throw new TrueupError('CONFLICT', { doing, why: 'the name is taken', next: 'Choose another name.' })
  }
  const id = newId('repo')
  // The Git repository first: a row must never stand for a repository that is not there.
  await repositoryOf(parts, id).init(wish.defaultBranch)
  return await parts.store.transaction(async (tx) => {
    const repository = await insertRepository(tx, {
      id,
      name: wish.name,
      defaultBranch: wish.defaultBranch,
      hashKeySealed: parts.keys.seal(randomBytes(32), hashKeyContext(id)),
      ...(wish.connected && { forge: wish.connected.forge }),
    })
    await wish.connected?.write(tx, id)
    await setMember(tx, { repositoryId: id, userId: wish.actorId, role: 'admin' })
    const data = { name: wish.name, defaultBranch: wish.defaultBranch }
    await appendAudit(tx, {
      actor: userActor(wish.actorId),
      action: 'repository.create',
      subject: id,
      repositoryId: id,
      data,
    })
    return repository
  })
}
