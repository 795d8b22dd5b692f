import { TrueupError } from '../../lib/errors/error.ts'
import { appendAudit } from '../../store/audit/audit.ts'
import {
  createMergeRequest,
  findMergeRequestByNumber,
  type MergeRequest,
  patchMergeRequest,
} from '../../store/changes/merge-requests.ts'
import { enqueueTask } from '../../store/runs/tasks.ts'
import { recordMerge } from '../rows/merges.ts'
import type { RemoteChange } from './api.ts'
import { forkBranch, isForkBranch } from '../../store/forges/forks.ts'
import type { Connected } from './connected.ts'
import { accountOf } from './people.ts'
import { takeMakers, takeReviews } from './take-reviews.ts'

/** What no plan has been made of: the gate has judged nothing of it. */
const UNPLANNED = { previews: null, mergeTreeOid: null, conflicts: null, problems: null }

/** Longest title and description that are kept, characters. */
const MAX_TITLE = 500
const MAX_DESCRIPTION = 100_000

/** Heads are those of the mirror: what it has not got yet, the next look brings. */
export async function takeChange(here: Connected, change: RemoteChange): Promise<MergeRequest | null> {
  const known = await findMergeRequestByNumber(here.store.db, here.repository.id, change.number)
  if (!known && (change.isFork || change.state === 'closed')) return null
  if (known && change.isFork) await followFork(here, change)
  const mr = known ? await takeWords(here, known, change) : await firstSeen(here, change)
  if (!mr) return null
  if (change.state === 'merged') {
    const merged = await takeMerge(here, mr, change)
    if (change.isFork) await dropFork(here, change.number)
    return merged
  }
  // A merge that was begun here is for `settle` to end; what comes of one there is said when it has come.
  if (mr.state === 'merged' || mr.state === 'merging' || change.state === 'merging' || mr.state === change.state)
    return mr
  return await takeState(here, mr, change.state)
}

/** One from a fork that somebody has vouched for: it is taken over with the head that it has now. */
export async function takeFork(here: Connected, change: RemoteChange): Promise<MergeRequest | null> {
  await followFork(here, change)
  return await firstSeen(here, change)
}

/** The head of one from a fork is kept as a branch of the mirror as long as it is open. */
async function followFork({ git, fetchFork }: Connected, { number, state, headOid }: RemoteChange): Promise<void> {
  if (state === 'closed') await dropFork({ git }, number)
  else if ((await git.resolve(`refs/heads/${forkBranch(number)}`)) !== headOid)
    // One stranger's head that is not to be had stands in nobody else's way: the forge refuses to merge any other than it has.
    await fetchFork(number).catch((thrown: unknown) => {
      if (!(thrown instanceof TrueupError && thrown.code === 'REMOTE_UNREACHABLE')) throw thrown
    })
}

async function dropFork({ git }: Pick<Connected, 'git'>, number: number): Promise<void> {
  const ref = `refs/heads/${forkBranch(number)}`
  if ((await git.resolve(ref)) !== null) await git.deleteRef(ref)
}

const branchOf = ({ isFork, number, sourceBranch }: RemoteChange): string =>
  isFork ? forkBranch(number) : sourceBranch

async function firstSeen(here: Connected, change: RemoteChange): Promise<MergeRequest | null> {
  const { store, git, repository } = here
  const heads = await headsOf(here, change)
  if (!heads) return null
  const authorId = await accountOf(here, change.author)
  const { number, draft, targetBranch } = change
  const sourceBranch = branchOf(change)
  return await store.transaction(async (tx) => {
    const meanwhile = await findMergeRequestByNumber(tx, repository.id, number)
    if (meanwhile) return meanwhile
    const words = wordsOf(change)
    const branches = { sourceBranch, targetBranch, ...heads }
    const row = { repositoryId: git.id, number, ...words, ...branches, authorId, draft, origin: null }
    const mr = await createMergeRequest(tx, row)
    const data = { number, title: words.title, sourceBranch, targetBranch, headOid: heads.headOid }
    const actor = `user:${authorId}`
    await appendAudit(tx, { actor, action: 'mr.open', subject: mr.id, repositoryId: repository.id, data })
    await enqueueTask(tx, { kind: 'mr.preview', key: mr.id, payload: { mrId: mr.id } })
    return mr
  })
}

async function headsOf(
  { git }: Connected,
  change: RemoteChange,
): Promise<{ headOid: string; targetOid: string } | null> {
  if (change.state === 'merged') {
    const merge = change.mergeOid === null ? null : await git.resolve(change.mergeOid)
    const targetOid = merge === null ? undefined : (await git.commit(merge)).parents[0]
    if (merge === null || targetOid === undefined) return null
    // Its branch may be gone since: then what was merged stands for its head.
    return { headOid: (change.headOid && (await git.resolve(change.headOid))) || merge, targetOid }
  }
  const headOid = await git.resolve(`refs/heads/${branchOf(change)}`)
  const targetOid = await git.resolve(`refs/heads/${change.targetBranch}`)
  return headOid === null || targetOid === null ? null : { headOid, targetOid }
}

const wordsOf = ({ title, description }: RemoteChange) => ({
  title: title.slice(0, MAX_TITLE),
  description: description.slice(0, MAX_DESCRIPTION),
})

async function takeWords({ store, git }: Connected, mr: MergeRequest, change: RemoteChange): Promise<MergeRequest> {
  if (mr.state === 'merged') return mr
  const now = { ...wordsOf(change), draft: change.draft, targetBranch: change.targetBranch }
  const fields = (Object.keys(now) as (keyof typeof now)[]).filter((field) => now[field] !== mr[field])
  if (fields.length === 0) return mr
  const isElsewhere = fields.includes('targetBranch')
  const targetOid = isElsewhere ? await git.resolve(`refs/heads/${change.targetBranch}`) : null
  return await store.transaction(async (tx) => {
    const edited = await patchMergeRequest(tx, mr.id, {
      ...now,
      // Plans and rules of another branch say nothing of this one.
      ...(isElsewhere && { ...UNPLANNED, ...(targetOid !== null && { targetOid }) }),
    })
    const { repositoryId } = mr
    await appendAudit(tx, { actor: 'system', action: 'mr.edit', subject: mr.id, repositoryId, data: { fields } })
    const kind = isElsewhere ? 'mr.preview' : 'mr.evaluate'
    await enqueueTask(tx, { kind, key: mr.id, payload: { mrId: mr.id } })
    return edited
  })
}

async function takeState({ store }: Connected, mr: MergeRequest, state: 'open' | 'closed'): Promise<MergeRequest> {
  return await store.transaction(async (tx) => {
    const changed = await patchMergeRequest(tx, mr.id, { state })
    const action = state === 'open' ? 'mr.reopen' : 'mr.close'
    const data = { reason: `${state === 'open' ? 'opened again' : 'closed'} on the forge` }
    await appendAudit(tx, { actor: 'system', action, subject: mr.id, repositoryId: mr.repositoryId, data })
    await enqueueTask(tx, { kind: 'mr.preview', key: mr.id, payload: { mrId: mr.id } })
    return changed
  })
}

async function takeMerge(here: Connected, mr: MergeRequest, change: RemoteChange): Promise<MergeRequest> {
  const { mergeOid, mergedBy } = change
  if (mr.state === 'merged' || mergeOid === null) return mr
  const { store, git } = here
  // Who has approved it, and merged it before anybody looked.
  if (mr.state === 'open' && (await takeMakers(here, mr, change.headOid))) await takeReviews(here, mr, new Set())
  const began = mr.headOid === change.headOid ? mr.mergedById : null
  const mergedById = began ?? (mergedBy && (await accountOf(here, mergedBy)))
  // Somebody may have pushed and merged between two looks: what was merged is what stands on record.
  if (mr.headOid !== change.headOid) {
    // Its branch may be gone since, and what was squashed with it.
    const headOid = (change.headOid && (await git.resolve(change.headOid))) || mr.headOid
    // Nobody has planned that, or decided to bypass the gate for it.
    const patch = { headOid, bypassReason: null, mergedById: null, ...UNPLANNED }
    await store.transaction((tx) => patchMergeRequest(tx, mr.id, patch))
  }
  return await recordMerge(store, mr.id, {
    mergeOid,
    mergedById,
    from: ['open', 'merging', 'closed'],
    movesTarget: false,
  })
}

/** It is not there any more, or not to be seen. */
export async function takeLoss(here: Connected, mr: MergeRequest): Promise<void> {
  if (mr.state === 'open') await takeState(here, mr, 'closed')
  if (isForkBranch(mr.sourceBranch)) await dropFork(here, mr.number)
}
