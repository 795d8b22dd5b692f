import { TrueupError } from '../../lib/errors/error.ts'
import type { Queries } from '../database/context.ts'
import { makePlainEntity, type New } from '../database/entity.ts'
import type { Page, PageRequest } from '../database/page.ts'
import type { Database } from '../database/schema.ts'

export type Repository = Database['repositories']

const repositories = makePlainEntity({
  table: 'repositories',
  prefix: 'repo',
  noun: 'repository',
  change: (repository) => ({ topic: 'repository', id: repository.id, repositoryId: repository.id }),
})

export type NewRepository = Omit<New<Repository>, 'nextMrNumber' | 'nextMergeSequence' | 'forge'> &
  Partial<Pick<Repository, 'forge'>>

/** CONFLICT when the name is taken. Numbers start at 1. */
export function createRepository(tx: Queries, repository: NewRepository): Promise<Repository> {
  return repositories.insert(tx, { forge: 'builtin', nextMrNumber: 1, nextMergeSequence: 1, ...repository })
}

export const getRepository = (db: Queries, id: string): Promise<Repository | undefined> => repositories.get(db, id)

export const findRepositoryByName = (db: Queries, name: string): Promise<Repository | undefined> =>
  repositories.find(db, { name })

export type RepositoryPatch = Partial<
  Pick<Repository, 'name' | 'defaultBranch' | 'hashKeySealed' | 'forge' | 'nextMrNumber'>
>

/** NOT_FOUND; CONFLICT when the new name is taken. */
export const patchRepository = (tx: Queries, id: string, patch: RepositoryPatch): Promise<Repository> =>
  repositories.update(tx, id, patch)

/** Oldest first. */
export const listRepositories = (db: Queries, page: PageRequest = {}): Promise<Page<Repository>> =>
  repositories.list(db, {}, page, 'asc')

/** Every repository: for start-up and for the scheduler. */
export const allRepositories = (db: Queries): Promise<Repository[]> => repositories.all(db, {})

/** The next merge request number of a repository, used up by this call. */
export const takeMrNumber = (tx: Queries, repositoryId: string): Promise<number> =>
  takeNumber(tx, repositoryId, 'nextMrNumber')

/** The next merge sequence of a repository, used up by this call: deploys are enacted in its order. */
export const takeMergeSequence = (tx: Queries, repositoryId: string): Promise<number> =>
  takeNumber(tx, repositoryId, 'nextMergeSequence')

async function takeNumber(
  tx: Queries,
  repositoryId: string,
  counter: 'nextMrNumber' | 'nextMergeSequence',
): Promise<number> {
  const row = await tx
    .updateTable('repositories')
    .set((repository) => ({ [counter]: repository(counter, '+', 1) }))
    .where('id', '=', repositoryId)
    .returning(counter)
    .executeTakeFirst()
  const next: number | undefined = row?.[counter]
  if (next === undefined)
    throw new TrueupError('NOT_FOUND', {
      doing: `numbering in repository ${repositoryId}`,
      why: 'there is no repository with this id',
    })
  return next - 1
}
