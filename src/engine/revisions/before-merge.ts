import type { Commit, GitRepository } from '../../git/repository.ts'
import { listMergeRequests, type MergeRequest } from '../../store/changes/merge-requests.ts'
import { type EngineParts, repositoryOf } from '../parts.ts'

/** Commits of one merge request that are looked for on the target branch; of a longer one each is a step of its own. */
const MOST = 200

/**
 * Where the target branch stood before a merge: the first parent of a merge commit or a squashed one. A forge that rebases or only
 * moves the branch forward puts every commit of the merge request there, and all of them together are what was approved.
 * Null where Git does not show that these commits are that merge request, and nothing else.
 */
export async function beforeMerge(
  parts: EngineParts,
  mr: Pick<MergeRequest, 'repositoryId' | 'mergeOid' | 'headOid' | 'targetOid'>,
): Promise<string | null> {
  const { repositoryId, mergeOid, headOid } = mr
  if (mergeOid === null) return null
  const git = repositoryOf(parts, repositoryId)
  const merge = await git.commit(mergeOid)
  const [parent] = merge.parents
  if (parent === undefined || merge.parents.length > 1) return parent ?? null
  const length = headOid === mergeOid ? await forwarded(git, mr) : await rebased(git, merge, headOid)
  if (length === null) return null
  // What another one has brought is not of this one, whatever this one was based on.
  let oldest = merge
  for (let count = 1; count < length; count++) {
    const before = oldest.parents[0]
    if (before === undefined || (await isMerge(parts, repositoryId, before))) break
    oldest = await git.commit(before)
  }
  return oldest.parents[0] ?? null
}

/** Commits that came with a head to which the branch was only moved. */
async function forwarded(
  git: GitRepository,
  { headOid, targetOid }: Pick<MergeRequest, 'headOid' | 'targetOid'>,
): Promise<number | null> {
  if ((await git.resolve(targetOid)) === null || !(await git.isAncestor(targetOid, headOid))) return null
  const own = await git.log({ from: targetOid, to: headOid, firstParent: true, limit: MOST + 1 })
  return own.length > MOST ? null : own.length
}

/** The same commits in the same order, and nothing but what they change: a commit in between would show in the tree. */
async function rebased(git: GitRepository, merge: Commit, headOid: string): Promise<number | null> {
  if ((await git.resolve(headOid)) === null) return 1
  const all = await git.log({ from: merge.oid, to: headOid, limit: MOST + 1 })
  const own = all.filter(({ parents }) => parents.length < 2)
  if (all.length > MOST) return null
  if (own.length < 2 || !isCopy(merge, own[0]!)) return 1
  let copy = merge
  for (const commit of own.slice(1)) {
    const before = copy.parents[0]
    if (before === undefined) return null
    copy = await git.commit(before)
    if (copy.parents.length > 1 || !isCopy(copy, commit)) return null
  }
  const base = copy.parents[0]
  if (base === undefined) return null
  const whole = await git.mergeTree(base, headOid)
  return whole.clean && whole.tree === merge.tree ? own.length : null
}

/** A rebased commit keeps its author, with the time, and its words. */
const isCopy = (copy: Commit, of: Commit): boolean =>
  copy.author.name === of.author.name &&
  copy.author.email === of.author.email &&
  copy.author.at === of.author.at &&
  copy.message.trim() === of.message.trim()

/** Where the default branch stood before what was enacted with a commit of it; null where it is the first. */
export async function beforeLanded(
  parts: EngineParts,
  repositoryId: string,
  commitOid: string,
): Promise<string | null> {
  const filter = { repositoryId, mergeOid: commitOid, states: ['merged'] as const }
  const [mr] = (await listMergeRequests(parts.store.db, filter, { limit: 1 })).items
  const before = mr ? await beforeMerge(parts, mr) : null
  return before ?? (await repositoryOf(parts, repositoryId).commit(commitOid)).parents[0] ?? null
}

async function isMerge({ store }: EngineParts, repositoryId: string, mergeOid: string): Promise<boolean> {
  const filter = { repositoryId, mergeOid, states: ['merged'] as const }
  return (await listMergeRequests(store.db, filter, { limit: 1 })).items.length > 0
}
