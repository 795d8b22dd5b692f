import { isPlanning, judge, type JudgedStack, type Judgement } from '../../engine/merge-requests/gate.ts'
import { filesDigest } from '../../engine/merge-requests/seen.ts'
import { deployCursor } from '../../engine/revisions/cursor.ts'
import { type EngineParts, repositoryOf } from '../../engine/parts.ts'
import { whyWaiting } from '../../engine/runs/waiting.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import { findMergeRequestByNumber, type MergeRequest } from '../../store/changes/merge-requests.ts'
import { getRepository } from '../../store/changes/repositories.ts'
import { whyPutOff } from '../../store/runs/tasks.ts'
import type { MrDetail, MrSummary } from '../schemas/merge-requests.ts'
import { namesOf } from './names.ts'
import { showQuarantine } from './quarantine-view.ts'
import { nameOf } from './user-name.ts'

/** The MR of a number, or NOT_FOUND. */
export async function mrOf(
  parts: EngineParts,
  repository: { id: string; name: string },
  number: number,
): Promise<MergeRequest> {
  const mr = await findMergeRequestByNumber(parts.store.db, repository.id, number)
  if (mr) return mr
  throw new TrueupError('NOT_FOUND', {
    doing: `reading merge request !${number} of ${repository.name}`,
    why: 'there is no merge request of this number',
    next: '`trueup mr list` shows those that there are.',
  })
}

/** Merge requests as lists have them. */
export async function showSummaries(
  parts: EngineParts,
  repository: string,
  mrs: readonly MergeRequest[],
): Promise<MrSummary[]> {
  const names = await namesOf(parts, { users: mrs.map(({ authorId }) => authorId) })
  return mrs.map((mr) => ({
    number: mr.number,
    id: mr.id,
    repository,
    title: mr.title,
    state: mr.state,
    draft: mr.draft,
    author: names.user(mr.authorId),
    sourceBranch: mr.sourceBranch,
    targetBranch: mr.targetBranch,
    head: mr.headOid,
    origin: mr.origin,
    mergeCommit: mr.mergeOid,
    mergeSequence: mr.mergeSequence,
    bypassReason: mr.bypassReason,
    createdAt: mr.createdAt,
    updatedAt: mr.updatedAt,
  }))
}

/** The whole MR with the gate's verdict of this moment. */
export async function showDetail(parts: EngineParts, repository: string, mr: MergeRequest): Promise<MrDetail> {
  const judgement = await judge(parts, mr)
  const planned = mr.previews !== null && !isPlanning(judgement.stacks)
  const enacted = await isEnacted(parts, mr)
  return {
    ...(await showSummaries(parts, repository, [mr]))[0]!,
    description: mr.description,
    conflicts: mr.conflicts ?? [],
    problems: [...(mr.problems ?? []), ...(await putOff(parts, mr, enacted))],
    planned,
    mergeable: mr.state === 'open' && judgement.outcome.mergeable,
    requirements: judgement.outcome.requirements.map((requirement) => ({
      ...requirement,
      environment: requirement.environment ?? null,
    })),
    stacks: await Promise.all(judgement.stacks.map((stack) => showPreview(parts, stack))),
    digests: judgement.digests,
    files: filesDigest(judgement.files),
    makers: await showMakers(parts, judgement.makers),
    quarantine: await Promise.all(judgement.quarantine.map((entry) => showQuarantine(parts, entry))),
    statuses: statusesOf(judgement, planned),
    reviews: await Promise.all(
      judgement.reviews.map(
        async ({ id, userId, verdict, body, headOid, digests, droppedAt, droppedReason, createdAt }) => ({
          id,
          user: await nameOf(parts, userId),
          verdict,
          body,
          head: headOid,
          digests,
          droppedAt,
          droppedReason,
          createdAt,
        }),
      ),
    ),
    mergedBy: mr.mergedById === null ? null : await nameOf(parts, mr.mergedById),
    mergedAt: mr.mergedAt,
    enacted,
  }
}

async function showMakers(
  parts: EngineParts,
  { authorId, pusherIds, named }: Judgement['makers'],
): Promise<MrDetail['makers']> {
  const makers = [
    { userId: authorId, how: 'author' as const, commits: [] },
    ...pusherIds.filter((id) => id !== authorId).map((userId) => ({ userId, how: 'pushed' as const, commits: [] })),
    ...named.filter(({ userId }) => userId !== authorId).map((entry) => ({ ...entry, how: 'named' as const })),
  ]
  return await Promise.all(
    makers.map(async ({ userId, how, commits }) => ({ user: await nameOf(parts, userId), how, commits })),
  )
}

async function showPreview(parts: EngineParts, stack: JudgedStack): Promise<MrDetail['stacks'][number]> {
  const { key, preview, driver, run, policies } = stack
  return {
    stack: key,
    how: preview.how,
    driver,
    run: run?.id ?? null,
    state: run?.state ?? null,
    digest: run?.planDigest ?? null,
    summary: run?.planSummary ?? null,
    provisional: preview.provisional,
    note: preview.note ?? (run?.error ? `${run.error.doing}: ${run.error.why}` : run && (await whyWaiting(parts, run))),
    policies: policies.map(({ name, outcome, message }) => ({ name, outcome, message })),
  }
}

/** What keeps Trueup itself from going on with it: nothing that its people have done, but they must know why it stands. */
async function putOff(parts: EngineParts, mr: MergeRequest, enacted: boolean): Promise<MrDetail['problems']> {
  const of = { planning: mr.state === 'open', deploying: mr.state === 'merged' && !enacted }
  if (!of.planning && !of.deploying) return []
  const found = await whyPutOff(
    parts.store.db,
    of.planning
      ? { key: mr.id, kinds: ['mr.preview', 'mr.retry', 'mr.evaluate'] }
      : { key: mr.repositoryId, kinds: ['deploy'] },
  )
  if (!found) return []
  const doing = of.planning ? `planning !${mr.number}` : `ordering the deployments of !${mr.number}`
  const next = `It is tried again at ${new Date(found.runAt).toISOString()}; the log of the server says more.`
  return [new TrueupError('UNAVAILABLE', { doing, why: found.why, next }).toJSON()]
}

/** Whether the deployments of what it merged are ordered, so that its runs are all there. */
async function isEnacted(parts: EngineParts, mr: MergeRequest): Promise<boolean> {
  if (mr.state !== 'merged' || mr.mergeOid === null) return false
  // Only the default branch is enacted: from a merge into another one nothing follows.
  if ((await getRepository(parts.store.db, mr.repositoryId))?.defaultBranch !== mr.targetBranch) return true
  const cursor = await deployCursor(parts.store.db, mr.repositoryId)
  if (cursor === null || cursor === mr.mergeOid) return cursor !== null
  return await repositoryOf(parts, mr.repositoryId).isAncestor(mr.mergeOid, cursor)
}

function statusesOf(judgement: Judgement, planned: boolean): MrDetail['statuses'] {
  return [...judgement.rules.keys()].map((environment) => {
    const unmet = judgement.outcome.requirements.filter(
      (requirement) => requirement.environment === environment && requirement.blocking && !requirement.satisfied,
    )
    if (!planned) return { environment, state: 'pending', description: 'plans are being made' }
    if (unmet.length === 0) return { environment, state: 'success', description: 'planned, nothing is missing' }
    const failed = unmet.some((requirement) => requirement.name !== 'approvals')
    return {
      environment,
      state: failed ? 'failure' : 'pending',
      description: unmet.map((entry) => entry.message).join('; '),
    }
  })
}
