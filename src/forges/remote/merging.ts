import { TrueupError } from '../../lib/errors/error.ts'
import { retry } from '../../lib/retry.ts'
import { appendAudit } from '../../store/audit/audit.ts'
import {
  getMergeRequest,
  listMergeRequests,
  type MergeRequest,
  patchMergeRequest,
  requireMergeRequest,
  requireOpenMergeRequest,
} from '../../store/changes/merge-requests.ts'
import { nowOf } from '../../store/database/context.ts'
import { getUser } from '../../store/people/users.ts'
import { enqueueTask } from '../../store/runs/tasks.ts'
import { type MergeMethod, requireCan } from '../capabilities.ts'
import type { MergeHow, Merging } from '../forge.ts'
import { conflicting, movedSince, overtaken, undoMerge } from '../rows/merges.ts'
import type { Connect, Connected, RemoteParts } from './connected.ts'
import { takeChange } from './take-change.ts'

/** When a merge that was begun is looked at again, if nothing was heard of it: longer than all tries at an answer. */
const SETTLE_AFTER_MS = 5 * 60_000
/** How a merge that a forge is still at is waited for; after that the next look is. */
const STILL_AT_IT = { pauses: { first: 200, longest: 2_000 }, attempts: 8 }

/**
 * A merge is written down as begun, told to the forge with the head that was judged, and recorded as what the forge then
 * says. The forge compares the head; the target is compared here, just before: what reaches it in between is found by the
 * deployment, whose plan is then no longer the one that was approved.
 */
export function remoteMerging({ store }: RemoteParts, connect: Connect): Merging {
  return {
    merge: async (how) => await mergeThere(connect, how, await requireOpenMergeRequest(store.db, how.mrId, MERGING)),
    async settle(mrId) {
      const mr = await getMergeRequest(store.db, mrId)
      if (mr?.state === 'merging') await settle(await connect(mr.repositoryId), mr)
    },
    async mergedWith(repositoryId, commitOid) {
      const here = await connect(repositoryId)
      const filter = { repositoryId, mergeOid: commitOid, states: ['merged'] as const }
      // What was merged into another branch, by other rules, may come here by a push.
      const isHere = ({ targetBranch }: { targetBranch: string }): boolean =>
        targetBranch === here.repository.defaultBranch
      const known = (await listMergeRequests(store.db, filter, { limit: 10 })).items.find(isHere)
      if (known) return known
      // The branch was seen before the merge, or all of it came and went between two looks.
      const change = await here.api.changeMergedAs(commitOid)
      const isIt = change?.state === 'merged' && change.mergeOid === commitOid && isHere(change)
      const mr = isIt ? await takeChange(here, change) : null
      return mr?.state === 'merged' ? mr : null
    },
  }
}

/** In place of a merge commit, in this order. */
const OTHERS: readonly MergeMethod[] = ['squash', 'rebase', 'fast-forward']

const MERGING = 'merging the merge request'

async function mergeThere(connect: Connect, how: MergeHow, mr: MergeRequest): Promise<MergeRequest> {
  const here = await connect(mr.repositoryId)
  const { git, api } = here
  const { methods } = await api.repository()
  // A merge commit is what is meant where nobody says otherwise: where it is not allowed there, what is.
  const other = methods.merge === true ? undefined : OTHERS.find((its) => methods[its] === true)
  const method = (how.method === 'merge' && other) || how.method
  requireCan(methods[method], MERGING)
  await here.fetch()
  const head = await git.resolve(`refs/heads/${mr.sourceBranch}`)
  const target = await git.resolve(`refs/heads/${mr.targetBranch}`)
  if (head !== how.headOid || target !== how.targetOid) throw movedSince(mr)
  const merged = await git.mergeTree(how.targetOid, how.headOid)
  if (!merged.clean) throw conflicting(MERGING, mr.targetBranch, merged.conflicts)
  await begin(here, mr, { ...how, method })
  const title = method === 'squash' ? mr.title : `Merge branch '${mr.sourceBranch}': ${mr.title}`
  const refused = await api
    .merge(mr.number, { headOid: how.headOid, method, title, message: await messageOf(here, mr, how) })
    .then(() => null)
    .catch((thrown: unknown) => thrown)
  // Also where the answer was no, or none: only the forge knows whether it came about.
  const now = await settle(here, mr)
  if (now.state === 'merged') return now
  throw refused ?? movedSince(mr)
}

async function begin({ store }: Connected, mr: MergeRequest, how: MergeHow): Promise<void> {
  await store.transaction(async (tx) => {
    await requireOpenMergeRequest(tx, mr.id, MERGING)
    if (!(await how.stillAsJudged(tx))) throw overtaken(mr)
    const { actorId: mergedById, bypassReason, headOid, targetOid, method } = how
    await patchMergeRequest(tx, mr.id, { state: 'merging', mergeOid: null, mergedById, bypassReason })
    await appendAudit(tx, {
      actor: `user:${mergedById}`,
      action: 'mr.merging',
      subject: mr.id,
      repositoryId: mr.repositoryId,
      data: { targetOid, headOid, method, bypassReason },
    })
    const payload = { mrId: mr.id }
    await enqueueTask(tx, { kind: 'mr.settle', key: mr.id, payload, runAt: nowOf(tx) + SETTLE_AFTER_MS })
  })
}

/** What the forge says of a merge that was begun. */
async function settle(here: Connected, mr: MergeRequest): Promise<MergeRequest> {
  const { store, api, fetch } = here
  const change = await retry(() => api.change(mr.number), {
    ...STILL_AT_IT,
    again: (outcome) => outcome.ok && outcome.value?.state === 'merging',
  })
  if (!change)
    throw new TrueupError('FORGE_GONE', { doing: MERGING, why: `the forge has no number ${mr.number} any more` })
  if (change.state === 'merging')
    throw new TrueupError('FORGE_UNREACHABLE', { doing: MERGING, why: 'the forge is still merging it' })
  if (change.state !== 'merged') {
    const begun = await requireMergeRequest(store.db, mr.id, MERGING)
    if (begun.state === 'merging') await undoMerge(store, begun)
    return (await takeChange(here, change)) ?? (await requireMergeRequest(store.db, mr.id, MERGING))
  }
  await fetch()
  await takeChange(here, change)
  return await requireMergeRequest(store.db, mr.id, MERGING)
}

async function messageOf({ store }: Connected, mr: MergeRequest, how: MergeHow): Promise<string> {
  const name = (await getUser(store.db, how.actorId))?.name ?? how.actorId
  const bypass = how.bypassReason?.replaceAll(/\s+/g, ' ').trim()
  const trailers = [
    `Merge-Request: !${mr.number}`,
    `Merged-For: ${name}`,
    ...(bypass ? [`Bypass-Reason: ${bypass}`] : []),
  ]
  return [mr.description.trim(), trailers.join('\n')].filter((part) => part !== '').join('\n\n')
}
