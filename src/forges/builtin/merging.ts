import { BRANCH_TRAILER, REPOSITORY_TRAILER } from '../../domain/wire/signed-target.ts'
import type { Person } from '../../git/repository.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import { appendAudit } from '../../store/audit/audit.ts'
import {
  getMergeRequest,
  listMergeRequests,
  type MergeRequest,
  patchMergeRequest,
  requireOpenMergeRequest,
} from '../../store/changes/merge-requests.ts'
import { nowOf } from '../../store/database/context.ts'
import { recordPusher } from '../../store/changes/refs.ts'
import { getRepository } from '../../store/changes/repositories.ts'
import { enqueueTask } from '../../store/runs/tasks.ts'
import { getUser } from '../../store/people/users.ts'
import { requireCan } from '../capabilities.ts'
import type { MergeHow } from '../forge.ts'
import { conflicting, movedSince, overtaken, recordMerge, undoMerge } from '../rows/merges.ts'
import { CAPABILITIES } from './capabilities.ts'
import type { BuiltinParts } from './parts.ts'

/**
 * Merges by compare-and-swap, in three steps that survive a kill between any two of them:
 * 1. the merge commit is made and the MR is marked `merging` with its oid,
 * 2. the target branch is moved from the head that was judged to that commit,
 * 3. the MR is marked `merged`, gets its merge sequence, and the deployment is ordered.
 * `settleMerge` finishes or undoes what was between 1 and 3: at start-up, and where only Git or the store failed meanwhile
 * as the follow-up work that step 1 orders. The caller sees to it that nobody settles an MR while it is merged.
 */
export async function mergeMergeRequest(parts: BuiltinParts, how: MergeHow): Promise<MergeRequest> {
  const { store } = parts
  const doing = 'merging the merge request'
  requireCan(CAPABILITIES.methods[how.method], doing)
  const mr = await requireOpenMergeRequest(store.db, how.mrId, doing)
  const git = parts.git.repository(mr.repositoryId)
  const targetRef = `refs/heads/${mr.targetBranch}`
  const [head, target] = await Promise.all([git.resolve(`refs/heads/${mr.sourceBranch}`), git.resolve(targetRef)])
  if (head !== how.headOid || target !== how.targetOid) throw movedSince(mr)

  const merged = await git.mergeTree(how.targetOid, how.headOid)
  if (!merged.clean) throw conflicting(doing, mr.targetBranch, merged.conflicts)
  const person = await personOf(parts, how.actorId)
  const mergeOid = await git.commitTree({
    tree: merged.tree,
    parents: how.method === 'squash' ? [how.targetOid] : [how.targetOid, how.headOid],
    message: mergeMessage(mr, how, (await getRepository(store.db, mr.repositoryId))?.name ?? ''),
    author: how.method === 'squash' ? await personOf(parts, mr.authorId) : person,
    committer: person,
    ...(parts.signingKey && { signingKey: parts.signingKey.file }),
  })
  await markMerging(parts, mr, how, mergeOid)
  return await moveBranch(parts, mr, how, mergeOid)
}

/** When a merge that was begun is looked at again, if nothing was heard of it; it takes milliseconds. */
const SETTLE_AFTER_MS = 5_000

/** Step 1. */
async function markMerging(parts: BuiltinParts, mr: MergeRequest, how: MergeHow, mergeOid: string): Promise<void> {
  await parts.store.transaction(async (tx) => {
    await requireOpenMergeRequest(tx, mr.id, 'merging the merge request')
    if (!(await how.stillAsJudged(tx))) throw overtaken(mr)
    await patchMergeRequest(tx, mr.id, {
      state: 'merging',
      mergeOid,
      mergedById: how.actorId,
      bypassReason: how.bypassReason,
    })
    // The target may be the source of another one.
    await recordPusher(tx, mr.repositoryId, mergeOid, how.actorId)
    await appendAudit(tx, {
      actor: `user:${how.actorId}`,
      action: 'mr.merging',
      subject: mr.id,
      repositoryId: mr.repositoryId,
      data: { mergeOid, targetOid: how.targetOid, headOid: how.headOid, bypassReason: how.bypassReason },
    })
    const payload = { mrId: mr.id }
    await enqueueTask(tx, { kind: 'mr.settle', key: mr.id, payload, runAt: nowOf(tx) + SETTLE_AFTER_MS })
  })
}

/** Steps 2 and 3. */
async function moveBranch(
  parts: BuiltinParts,
  mr: MergeRequest,
  how: MergeHow,
  mergeOid: string,
): Promise<MergeRequest> {
  const git = parts.git.repository(mr.repositoryId)
  const targetRef = `refs/heads/${mr.targetBranch}`
  const reached = await git.updateRef(targetRef, mergeOid, how.targetOid).catch(async (fault: unknown) => {
    // Whether Git had moved the branch before it fell is for Git to say.
    await settleMerge(parts, mr.id).catch(() => undefined)
    throw fault
  })
  if (!reached) {
    await undoMerge(parts.store, mr)
    throw movedSince(mr)
  }
  return await recordBegun(parts, (await getMergeRequest(parts.store.db, mr.id)) ?? mr)
}

/** Step 3, also for whoever finds a merge that has reached the branch. */
async function recordBegun({ store }: BuiltinParts, mr: MergeRequest): Promise<MergeRequest> {
  const { mergeOid, mergedById } = mr
  if (mergeOid === null)
    throw new TrueupError('CONFLICT', { doing: 'recording a merge', why: `!${mr.number} is ${mr.state}` })
  return await recordMerge(store, mr.id, { mergeOid, mergedById, from: ['merging'], movesTarget: true })
}

/** Finishes a begun merge that has reached the branch and undoes any other. Only while nobody is at step 2. */
export async function settleMerge(parts: BuiltinParts, mrId: string): Promise<void> {
  const mr = await getMergeRequest(parts.store.db, mrId)
  if (mr?.state !== 'merging') return
  const git = parts.git.repository(mr.repositoryId)
  const target = await git.resolve(`refs/heads/${mr.targetBranch}`)
  const reached = target !== null && mr.mergeOid !== null && (await git.isAncestor(mr.mergeOid, target))
  if (reached) await recordBegun(parts, mr)
  else await undoMerge(parts.store, mr)
}

/**
 * The MR whose merge this commit of a target branch is; null where there is none. The branch may be seen before step 3 is
 * through, which is then done here.
 */
export async function mergedWith(
  parts: BuiltinParts,
  repositoryId: string,
  commitOid: string,
): Promise<MergeRequest | null> {
  const filter = { repositoryId, mergeOid: commitOid, states: ['merging', 'merged'] as const }
  const [mr] = (await listMergeRequests(parts.store.db, filter, { limit: 1 })).items
  if (!mr) return null
  return mr.state === 'merged' ? mr : await recordBegun(parts, mr)
}

/** Repository and branch belong to what is signed: a commit that is good in one place says nothing about another. */
function mergeMessage(mr: MergeRequest, how: MergeHow, repository: string): string {
  const body = mr.description.trim()
  const trailers = [
    `Merge-Request: !${mr.number}`,
    `${REPOSITORY_TRAILER}: ${repository}`,
    `${BRANCH_TRAILER}: ${mr.targetBranch}`,
    ...(how.bypassReason ? [`Bypass-Reason: ${oneLine(how.bypassReason)}`] : []),
  ]
  const subject = how.method === 'squash' ? mr.title : `Merge branch '${mr.sourceBranch}': ${mr.title}`
  return `${[subject, ...(body ? [body] : []), trailers.join('\n')].join('\n\n')}\n`
}

const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').trim()

async function personOf(parts: BuiltinParts, userId: string): Promise<Person> {
  const user = await getUser(parts.store.db, userId)
  return {
    name: user?.name ?? 'trueup',
    email: user?.email || `${user?.name ?? 'trueup'}@trueup.invalid`,
    at: parts.store.clock.now(),
  }
}
