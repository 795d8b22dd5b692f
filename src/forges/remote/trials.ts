import { findMergeRequestByNumber, type MergeRequest } from '../../store/changes/merge-requests.ts'
import { findPost, putPost } from '../../store/forges/posts.ts'
import { enqueueTask } from '../../store/runs/tasks.ts'
import type { CommitStatus } from '../forge.ts'
import type { RemoteTrial } from './api.ts'
import type { Connected } from './connected.ts'

const KINDS = ['queued', 'tried'] as const

const nameOf = (kind: RemoteTrial['kind']): string => `trial:${kind}`

/**
 * Takes over on which commits the forge tries merge requests before it merges them: those of its queue or train, and what it
 * would merge. Statuses that stand on the head are given there too, so that nobody waits for Trueup there.
 */
export async function takeTrials(here: Connected): Promise<void> {
  const { store, api, git, repository } = here
  if (!api.trials) return
  const branches = await git.refs('refs/heads/')
  const trials = await api.trials(new Map([...branches].map(([ref, oid]) => [ref.slice('refs/heads/'.length), oid])))
  const proven = new Set<string>()
  for (const trial of await inOrder(here, trials)) {
    const mr = await findMergeRequestByNumber(store.db, repository.id, trial.number)
    if (mr?.state !== 'open' || !(await isOf(here, mr, trial, proven))) continue
    proven.add(trial.headOid)
    const name = nameOf(trial.kind)
    if ((await findPost(store.db, mr.id, name))?.remoteId === trial.headOid) continue
    await store.transaction(async (tx) => {
      const what = { remoteId: trial.headOid, digest: trial.pipeline ?? '', state: null }
      await putPost(tx, { mrId: mr.id, name, ...what })
      await enqueueTask(tx, { kind: 'mr.evaluate', key: mr.id, payload: { mrId: mr.id } })
    })
  }
}

/** One that is built on another comes behind it. */
async function inOrder({ git }: Connected, trials: readonly RemoteTrial[]): Promise<RemoteTrial[]> {
  const left = new Map(trials.map((trial) => [trial.headOid, trial]))
  const sorted: RemoteTrial[] = []
  while (left.size > 0) {
    const next = [...left.values()].find(({ baseOid }) => baseOid === undefined || !left.has(baseOid))
    // Built on each other in a circle, which Git cannot be: what is left is of nobody.
    if (!next) break
    left.delete(next.headOid)
    if ((await git.resolve(next.headOid)) !== null || next.baseOid === undefined) sorted.push(next)
  }
  return sorted
}

/**
 * Where a forge marks them by the names of branches alone, Git has to show that it is what it says: the merge of this head
 * with the target branch, or with what stands before it in the queue. A status is a word of Trueup's on a commit.
 */
async function isOf(
  { git }: Connected,
  mr: MergeRequest,
  { baseOid, headOid }: RemoteTrial,
  proven: ReadonlySet<string>,
): Promise<boolean> {
  if (baseOid === undefined) return true
  if ((await git.resolve(baseOid)) === null) return false
  const target = await git.resolve(`refs/heads/${mr.targetBranch}`)
  const isBehind = target !== null && (await git.isAncestor(baseOid, target))
  if (!isBehind && !proven.has(baseOid)) return false
  const merged = await git.mergeTree(baseOid, mr.headOid)
  return merged.clean && merged.tree === (await git.commit(headOid)).tree
}

export interface Trial {
  oid: string
  pipeline: string | null
  /** As it stands there. */
  status: CommitStatus
}

/** Where else a status of a head belongs. In a queue nobody approves any more: what only people can end is a no there. */
export async function trialsOf({ store }: Connected, mrId: string, status: CommitStatus): Promise<Trial[]> {
  const found: Trial[] = []
  for (const kind of KINDS) {
    const post = await findPost(store.db, mrId, nameOf(kind))
    if (!post?.remoteId) continue
    const isNo = kind === 'queued' && status.state === 'pending' && status.waitsFor === 'people'
    found.push({
      oid: post.remoteId,
      pipeline: post.digest || null,
      status: isNo ? { ...status, state: 'failure' } : status,
    })
  }
  return found
}
