import { TrueupError } from '../../lib/errors/error.ts'
import { appendAudit } from '../../store/audit/audit.ts'
import type { MergeRequest } from '../../store/changes/merge-requests.ts'
import { recordPusher } from '../../store/changes/refs.ts'
import { createReview, listReviews, patchReview, type Review } from '../../store/changes/reviews.ts'
import { nowOf, type Queries } from '../../store/database/context.ts'
import { findPost, plansShownAt, putPost } from '../../store/forges/posts.ts'
import { isForkBranch } from '../../store/forges/forks.ts'
import { enqueueTask } from '../../store/runs/tasks.ts'
import type { RemotePerson, RemoteReview } from './api.ts'
import type { Connected } from './connected.ts'
import { accountOf, accountOfMember, takeRole } from './people.ts'

/**
 * Brings the reviews of an open merge request to what the forge says. An approval is of the plans that stood on the page
 * before it was given, and of the head that it names; `met`: people whose rights this look has read already.
 */
export async function takeReviews(here: Connected, mr: MergeRequest, met: Set<string>): Promise<void> {
  const { store, api } = here
  const all = await api.reviews(mr.number)
  const strangers = new Set<string>()
  for (const { person } of all) {
    if (met.has(person.id) || strangers.has(person.id)) continue
    if ((await accountOfMember(here, person)) === null) strangers.add(person.id)
    else await takeRole(here, person)
    if (!strangers.has(person.id)) met.add(person.id)
  }
  // What a stranger says counts for nothing, and leaves nothing here.
  const there = all.filter(({ person }) => !strangers.has(person.id))
  const rows = await listReviews(store.db, mr.id)
  const known = new Set(rows.map(({ remoteId }) => remoteId))
  for (const review of there) if (!known.has(review.id)) await takeReview(here, mr, review)
  const standing = new Set(there.map(({ id }) => id))
  for (const row of rows)
    if (row.remoteId !== null && row.droppedAt === null && !standing.has(row.remoteId))
      await store.transaction((tx) => drop(tx, mr, row, 'withdrawn on the forge'))
}

async function takeReview(here: Connected, mr: MergeRequest, review: RemoteReview): Promise<void> {
  const { store } = here
  const userId = await accountOf(here, review.person)
  if (review.verdict === 'approve' && userId === mr.authorId) return
  const { verdict, headOid, id: remoteId } = review
  const shown = await plansShownAt(store.db, { mrId: mr.id, headOid, at: review.at })
  await store.transaction(async (tx) => {
    const all = await listReviews(tx, mr.id)
    if (all.some((row) => row.remoteId === remoteId)) return
    for (const earlier of verdict === 'comment' ? [] : all)
      if (earlier.userId === userId && earlier.droppedAt === null && earlier.verdict !== 'comment')
        await drop(tx, mr, earlier, 'replaced by a newer review of the same person')
    const digests = shown?.digests ?? {}
    const files = shown?.files ?? {}
    await createReview(tx, { mrId: mr.id, userId, verdict, headOid, digests, files, body: review.body, remoteId })
    await appendAudit(tx, {
      actor: `user:${userId}`,
      action: `mr.${verdict}`,
      subject: mr.id,
      repositoryId: mr.repositoryId,
      data: { number: mr.number, headOid, digests },
    })
    await orderLook(tx, mr)
  })
}

async function drop(tx: Queries, mr: MergeRequest, review: Review, why: string): Promise<void> {
  await patchReview(tx, review.id, { droppedAt: nowOf(tx), droppedReason: why })
  await orderLook(tx, mr)
}

/** An approval may let plans be made, and its end may not. */
async function orderLook(tx: Queries, mr: MergeRequest): Promise<void> {
  for (const kind of ['mr.evaluate', 'mr.preview'])
    await enqueueTask(tx, { kind, key: mr.id, payload: { mrId: mr.id } })
}

/** Of a fork its own repository says so. */
async function pusherOf({ api }: Connected, mr: MergeRequest, headOid: string): Promise<RemotePerson | null> {
  if (!isForkBranch(mr.sourceBranch)) return await api.pusher(mr.sourceBranch, headOid)
  const change = await api.change(mr.number)
  if (!change?.source) return null
  return await api.pusher(change.sourceBranch, headOid, change.source).catch((thrown: unknown) => {
    // Another repository need not be open to Trueup: then nobody says who it was.
    if (thrown instanceof TrueupError && thrown.code === 'FORGE_PERMISSION') return null
    throw thrown
  })
}

/**
 * Who has pushed the head, and whom the forge finds for the names in its commits: their votes do not count. Once for each
 * head. False while the forge does not say who has pushed it: names alone are anybody's to type, and nobody's vote counts yet.
 */
export async function takeMakers(here: Connected, mr: MergeRequest, headOid: string): Promise<boolean> {
  const { store, api } = here
  const mark = { mrId: mr.id, name: 'makers' }
  if ((await findPost(store.db, mr.id, mark.name))?.digest === headOid) return true
  const pusher = await pusherOf(here, mr, headOid)
  if (!pusher) return false
  const makers = [{ oid: headOid, userId: await accountOf(here, pusher) }]
  for (const { oid, people } of await api.committers(mr.number))
    for (const person of people) makers.push({ oid, userId: await accountOf(here, person) })
  await store.transaction(async (tx) => {
    for (const { oid, userId } of makers) await recordPusher(tx, mr.repositoryId, oid, userId)
    await putPost(tx, { ...mark, digest: headOid, remoteId: null, state: null })
    await enqueueTask(tx, { kind: 'mr.evaluate', key: mr.id, payload: { mrId: mr.id } })
  })
  return true
}
