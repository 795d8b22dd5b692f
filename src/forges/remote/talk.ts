import { digestOf } from '../../lib/digest.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import { requireMergeRequest } from '../../store/changes/merge-requests.ts'
import { addShownPlans, findPost, listPosts, putPost } from '../../store/forges/posts.ts'
import { requireCan } from '../capabilities.ts'
import type { CommitStatus, Forge, Shown } from '../forge.ts'
import { reviewMergeRequest, withdrawReview } from '../rows/reviews.ts'
import type { Adapter, RemoteComment } from './api.ts'
import type { Connect, Connected, RemoteParts } from './connected.ts'
import { putDeployment } from './put-deployment.ts'
import { trialsOf } from './trials.ts'

/** What Trueup says on a forge: each comment and status written once, and then in its place. */
export function remoteTalk(
  { store }: RemoteParts,
  adapter: Adapter,
  connect: Connect,
): Pick<Forge, 'reviews' | 'comments' | 'statuses' | 'deployments'> {
  return {
    // Of people who work on Trueup's own page; those on the forge are taken over by each look.
    reviews: {
      give: (review) => reviewMergeRequest(store, review),
      withdraw: (mrId, userId) => withdrawReview(store, mrId, userId),
    },
    comments: {
      async add() {
        return refuse(adapter, 'commenting on the merge request')
      },
      async resolve() {
        refuse(adapter, 'resolving a thread')
      },
      async sign(mrId, commentId, sign) {
        const doing = 'marking a command'
        requireCan(adapter.can.commands, doing)
        const mr = await requireMergeRequest(store.db, mrId, doing)
        const { api } = await connect(mr.repositoryId)
        return await api.signComment(mr.number, commentId, sign)
      },
      async upsert(mrId, marker, body, shows) {
        const mr = await requireMergeRequest(store.db, mrId, 'commenting the plan')
        await putComment(await connect(mr.repositoryId), mr, { marker, body, shows: shows ?? null })
      },
    },
    statuses: {
      async set(mrId, headOid, status) {
        requireCan(adapter.can.statuses, `setting status "${status.name}"`)
        const { repositoryId } = await requireMergeRequest(store.db, mrId, `setting status "${status.name}"`)
        await putStatus(await connect(repositoryId), mrId, headOid, status)
      },
    },
    deployments: {
      async set(mrId, commitOid, deployment) {
        const doing = `showing the deployment in ${deployment.environment}`
        requireCan(adapter.can.deployments, doing)
        const mr = await requireMergeRequest(store.db, mrId, doing)
        await putDeployment(await connect(mr.repositoryId), mr, commitOid, deployment)
      },
    },
  }
}

function refuse(adapter: Adapter, doing: string): never {
  requireCan(adapter.can.discussion, doing)
  throw new TrueupError('FORGE_CANNOT', { doing, why: 'people talk on the forge itself' })
}

interface MarkedComment {
  marker: string
  body: string
  shows: Shown | null
}

async function putComment(
  { store, api, connection }: Connected,
  mr: { id: string; number: number },
  { marker, body, shows }: MarkedComment,
): Promise<void> {
  const name = `comment:${marker}`
  // Plans may be others although the words are the same: since when they stand there has to be known.
  const digest = digestOf([body, shows])
  const post = await findPost(store.db, mr.id, name)
  if (post?.digest === digest) return
  const first = `<!-- trueup:${marker} -->`
  const text = `${first}\n${body}`
  const isOurs = ({ person, body: its }: RemoteComment): boolean =>
    person.id === connection.botId && its.startsWith(first)
  const id = post?.remoteId ?? (await api.comments(mr.number)).find(isOurs)?.id
  const edited = id === undefined ? null : await api.editComment(mr.number, id, text)
  const written = edited ?? (await api.addComment(mr.number, text))
  await store.transaction(async (tx) => {
    await putPost(tx, { mrId: mr.id, name, remoteId: written.id, digest, state: null })
    if (shows) await addShownPlans(tx, { mrId: mr.id, ...shows, at: shownSince(written.updatedAt, api.now()) })
  })
}

/** An edit that changed no word leaves its time on some forges, and other plans may stand behind equal words. */
const UNMOVED_MS = 5_000
const shownSince = (updatedAt: number, now: number): number => (updatedAt < now - UNMOVED_MS ? now : updatedAt)

/**
 * A status of an earlier head that is still pending would wait for ever: it ends with the first one of the new head. Where the
 * forge tries the merge request on other commits, it stands on these too.
 */
async function putStatus(here: Connected, mrId: string, headOid: string, status: CommitStatus): Promise<void> {
  const { store } = here
  const nameAt = (oid: string): string => `status:${oid}:${status.name}`
  const trials = await trialsOf(here, mrId, status)
  await write(headOid, status)
  for (const { oid, pipeline, status: its } of trials)
    await write(oid, its, pipeline).catch((thrown: unknown) => {
      // The queue is further by now.
      if (!(thrown instanceof TrueupError && ['FORGE_REFUSED', 'FORGE_GONE'].includes(thrown.code))) throw thrown
    })
  const standing = new Set([headOid, ...trials.map(({ oid }) => oid)])
  for (const post of await listPosts(store.db, mrId)) {
    const oid = /^status:([0-9a-f]+):/.exec(post.name)?.[1]
    if (oid === undefined || standing.has(oid) || post.name !== nameAt(oid) || post.state !== 'pending') continue
    const description = `superseded by ${headOid.slice(0, 10)}`
    await write(oid, { name: status.name, state: 'failure', description })
  }

  async function write(oid: string, its: CommitStatus, pipeline: string | null = null): Promise<void> {
    const { name, state, description } = its
    const digest = digestOf({ name, state, description })
    if ((await findPost(store.db, mrId, nameAt(oid)))?.digest === digest) return
    await here.api.setStatus(oid, { name, state, description, ...(pipeline !== null && { pipeline }) })
    const what = { remoteId: null, digest, state }
    await store.transaction((tx) => putPost(tx, { mrId, name: nameAt(oid), ...what }))
  }
}
