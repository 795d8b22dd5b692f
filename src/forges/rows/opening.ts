import type { GitRepository } from '../../git/repository.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import { listMergeRequests, type MergeRequest } from '../../store/changes/merge-requests.ts'
import type { Queries } from '../../store/database/context.ts'
import type { NewChange } from '../forge.ts'

/** Longest accepted title and description, characters. */
const MAX_TITLE = 250
const MAX_DESCRIPTION = 50_000

/** What a merge request is opened of. */
export interface Opening {
  title: string
  headOid: string
  targetOid: string
}

/** Looks whether a merge request can be opened. Errors: NOT_FOUND (branch), INVALID_REQUEST. */
export async function toOpen(git: GitRepository, change: NewChange): Promise<Opening> {
  const doing = `opening a merge request of "${change.sourceBranch}"`
  const invalid = (why: string, next?: string): TrueupError =>
    new TrueupError('INVALID_REQUEST', { doing, why, ...(next !== undefined && { next }) })
  const title = change.title.trim()
  if (title === '') throw invalid('the title is empty')
  if (title.length > MAX_TITLE) throw invalid(`the title has more than ${MAX_TITLE} characters`)
  if (change.description.length > MAX_DESCRIPTION)
    throw invalid(`the description has more than ${MAX_DESCRIPTION} characters`)
  if (change.sourceBranch === change.targetBranch) throw invalid('source and target are the same branch')
  const { headOid, targetOid } = await tipsOf(git, change)
  if (headOid === null || targetOid === null) {
    const missing = headOid === null ? change.sourceBranch : change.targetBranch
    const next = `Push it: git push origin HEAD:refs/heads/${missing}`
    throw new TrueupError('NOT_FOUND', { doing, why: `there is no branch "${missing}"`, next })
  }
  if (await git.isAncestor(headOid, targetOid)) throw invalid(nothingNew(change), 'Commit something and push it.')
  return { title, headOid, targetOid }
}

/** The same for one that was closed. Errors: NOT_FOUND (branch), CONFLICT. */
export async function toReopen(git: GitRepository, mr: MergeRequest): Promise<Omit<Opening, 'title'>> {
  const doing = 'reopening the merge request'
  const { headOid, targetOid } = await tipsOf(git, mr)
  if (headOid === null || targetOid === null) {
    const gone = headOid === null ? mr.sourceBranch : mr.targetBranch
    throw new TrueupError('NOT_FOUND', { doing, why: `the branch "${gone}" is gone`, next: 'Push it again.' })
  }
  if (await git.isAncestor(headOid, targetOid)) throw new TrueupError('CONFLICT', { doing, why: nothingNew(mr) })
  return { headOid, targetOid }
}

type Branches = Pick<MergeRequest, 'repositoryId' | 'sourceBranch' | 'targetBranch'>

async function tipsOf(git: GitRepository, { sourceBranch, targetBranch }: Branches) {
  const [headOid, targetOid] = await Promise.all([
    git.resolve(`refs/heads/${sourceBranch}`),
    git.resolve(`refs/heads/${targetBranch}`),
  ])
  return { headOid, targetOid }
}

const nothingNew = ({ sourceBranch, targetBranch }: Branches): string =>
  `"${sourceBranch}" has no commit that "${targetBranch}" lacks`

/** The merge request of the same two branches that is open already, or null. */
export async function openBeside(
  db: Queries,
  { repositoryId, sourceBranch, targetBranch }: Branches,
): Promise<MergeRequest | null> {
  const beside = { repositoryId, sourceBranch, targetBranch, states: ['open', 'merging'] as const }
  return (await listMergeRequests(db, beside, { limit: 1 })).items[0] ?? null
}
