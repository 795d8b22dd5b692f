import { TrueupError } from '../../lib/errors/error.ts'
import { appendAudit } from '../../store/audit/audit.ts'
import type { Tx } from '../../store/database/context.ts'
import {
  createQuarantine,
  findQuarantine,
  getQuarantine,
  liftQuarantine as lift,
  moveQuarantine,
  type Quarantined,
  quarantineOf,
} from '../../store/stacks/quarantine.ts'
import { getMergeRequest, type MergeRequest } from '../../store/changes/merge-requests.ts'
import { getRun, listRuns, requestCancel } from '../../store/runs/runs.ts'
import { type EngineParts, repositoryOf, SYSTEM, userActor } from '../parts.ts'
import { specOfRun } from '../run-spec.ts'
import { followUpRun, orderAllPreviews } from '../run-tasks.ts'
import { refreshStack } from '../stacks/status.ts'
import type { RollbackDetail } from './detail.ts'
import { openRollbacks } from './open-rollbacks.ts'

/** A rolled back state may be deployed again, by a merge, a retry or a heal. Errors: NOT_FOUND, CONFLICT (lifted). */
export async function liftQuarantine(
  parts: EngineParts,
  wish: { quarantineId: string; reason: string; actorId: string },
): Promise<Quarantined> {
  return await parts.store.transaction(async (tx) => {
    const doing = `lifting quarantine ${wish.quarantineId}`
    const entry = await getQuarantine(tx, wish.quarantineId)
    if (!entry) throw new TrueupError('NOT_FOUND', { doing, why: 'there is no such quarantine' })
    if (entry.liftedAt !== null) throw new TrueupError('CONFLICT', { doing, why: 'it is lifted already' })
    const lifted = await lift(tx, entry.id, { reason: wish.reason, byId: wish.actorId })
    await appendAudit(tx, {
      actor: userActor(wish.actorId),
      action: 'stack.unquarantine',
      subject: entry.stackId,
      repositoryId: entry.repositoryId,
      data: {
        quarantineId: entry.id,
        commitOid: entry.commitOid,
        desiredDigest: entry.desiredDigest,
        reason: wish.reason,
      },
    })
    await refreshStack(tx, entry.stackId)
    await orderAllPreviews(tx, entry.repositoryId)
    return lifted
  })
}

/**
 * Puts the states that an open rollback leaves into quarantine and takes back what was about to deploy them. Once: what
 * a person has lifted since stays lifted; what was lifted with the closing of the merge request is put back by reopening it.
 */
export async function quarantineFor(parts: EngineParts, mrId: string): Promise<void> {
  await parts.store.transaction(async (tx) => {
    const mr = await getMergeRequest(tx, mrId)
    if (mr?.state !== 'open' || mr.origin !== 'rollback') return
    const { repositoryId, authorId } = mr
    const detail = mr.originDetail as unknown as RollbackDetail
    const actor = userActor(authorId)
    const reason = detail.reason ?? mr.title
    for (const { stackId, badCommit, badDigest, undoesMrId } of detail.stacks) {
      const own = (await quarantineOf(tx, mr.id)).filter((entry) => entry.stackId === stackId)
      if (undoesMrId !== undefined || own.some(({ liftedAt, liftedById }) => liftedAt === null || liftedById !== null))
        continue
      await cancelWaiting(tx, stackId, badDigest, actor)
      if (!(await findQuarantine(tx, stackId, badDigest))) {
        const state = { repositoryId, stackId, commitOid: badCommit, desiredDigest: badDigest }
        await createQuarantine(tx, { ...state, reason, mrId: mr.id, createdById: authorId })
        const data = { badCommit, badDigest, reason, mr: mr.number }
        await appendAudit(tx, { actor, action: 'stack.quarantine', subject: stackId, repositoryId, data })
      }
      await refreshStack(tx, stackId)
    }
    for (const stackId of detail.removed ?? []) {
      await cancelDestruction(tx, stackId, actor)
      await refreshStack(tx, stackId)
    }
  })
}

/**
 * A rollback that was closed unmerged takes nothing back, so what it had put into quarantine is good again, unless another
 * open one leaves the same state: then it is that one's.
 */
export async function liftOfClosed(parts: EngineParts, mrId: string): Promise<void> {
  const closed = await getMergeRequest(parts.store.db, mrId)
  if (closed?.state !== 'closed' || closed.origin !== 'rollback') return
  const git = repositoryOf(parts, closed.repositoryId)
  const target = await git.resolve(`refs/heads/${closed.targetBranch}`)
  // Merged by another way: Trueup closes it itself then.
  if (target !== null && (await git.isAncestor(closed.headOid, target))) return
  const others = (await openRollbacks(parts, closed.repositoryId)).filter(({ mr }) => mr.id !== mrId)
  await parts.store.transaction(async (tx) => {
    const mr = await getMergeRequest(tx, mrId)
    if (mr?.state !== 'closed') return
    for (const entry of await quarantineOf(tx, mrId)) {
      if (entry.liftedAt !== null) continue
      const heir = others.find(({ detail }) =>
        detail.stacks.some(({ stackId, badDigest, undoesMrId }) => {
          return stackId === entry.stackId && badDigest === entry.desiredDigest && undoesMrId === undefined
        }),
      )
      if (heir) await moveQuarantine(tx, entry.id, heir.mr.id)
      else await liftWith(tx, entry, `!${mr.number} was closed`)
    }
  })
}

/** A rollback of a rollback is enacted: what the first had left is wanted again. To be called where its merge is enacted. */
export async function liftUndone(tx: Tx, mr: MergeRequest): Promise<void> {
  if (mr.origin !== 'rollback') return
  for (const { stackId, undoesMrId } of (mr.originDetail as unknown as RollbackDetail).stacks) {
    if (undoesMrId === undefined) continue
    for (const entry of await quarantineOf(tx, undoesMrId))
      if (entry.stackId === stackId && entry.liftedAt === null)
        await liftWith(tx, entry, `!${mr.number} took that rollback back`)
  }
}

async function liftWith(tx: Tx, entry: Quarantined, reason: string): Promise<void> {
  const { id, stackId, repositoryId, commitOid, desiredDigest } = entry
  await lift(tx, id, { reason, byId: null })
  const data = { quarantineId: id, commitOid, desiredDigest, reason }
  await appendAudit(tx, { actor: SYSTEM, action: 'stack.unquarantine', subject: stackId, repositoryId, data })
  await refreshStack(tx, stackId)
  await orderAllPreviews(tx, repositoryId)
}

/** What is to come back is not destroyed meanwhile. */
async function cancelDestruction(tx: Tx, stackId: string, actor: string): Promise<void> {
  const { items } = await listRuns(tx, { stackId, kinds: ['destroy'], states: WAITING }, { limit: 100 })
  for (const { id } of items)
    await followUpRun(tx, await requestCancel(tx, { runId: id, reason: 'rolled_back', actor }))
}

const WAITING = ['queued', 'blocked', 'awaiting_approval'] as const

/** A run that a worker holds is refused when it shows its plan. */
async function cancelWaiting(tx: Tx, stackId: string, badDigest: string, actor: string): Promise<void> {
  const { items } = await listRuns(tx, { stackId, kinds: ['deploy', 'heal'], states: WAITING }, { limit: 100 })
  for (const { id } of items) {
    const run = await getRun(tx, id)
    if (!run || specOfRun(run).sourceDigest !== badDigest) continue
    await followUpRun(tx, await requestCancel(tx, { runId: id, reason: 'rolled_back', actor }))
  }
}
