import { TrueupError } from '../../lib/errors/error.ts'
import { appendAudit } from '../../store/audit/audit.ts'
import type { Tx } from '../../store/database/context.ts'
import {
  createQuarantine,
  findQuarantine,
  getQuarantine,
  liftQuarantine as lift,
  type Quarantined,
} from '../../store/stacks/quarantine.ts'
import { getRun, listRuns, requestCancel } from '../../store/runs/runs.ts'
import { type EngineParts, userActor } from '../parts.ts'
import { specOfRun } from '../run-spec.ts'
import { followUpRun, orderAllPreviews } from '../run-tasks.ts'
import { refreshStack } from '../stacks/status.ts'
import type { RollbackPlan } from './plan.ts'

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
    const lifted = await lift(tx, entry.id)
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

/** Puts the states that are left in quarantine and takes back what was about to deploy them. */
export async function quarantineAll(
  parts: EngineParts,
  { repository: { id: repositoryId }, returns, removed }: RollbackPlan,
  wish: { reason: string; actorId: string },
): Promise<void> {
  const actor = userActor(wish.actorId)
  await parts.store.transaction(async (tx) => {
    for (const { stack, badCommit, badDigest } of returns) {
      if (!(await findQuarantine(tx, stack.id, badDigest))) {
        await createQuarantine(tx, {
          repositoryId,
          stackId: stack.id,
          commitOid: badCommit,
          desiredDigest: badDigest,
          reason: wish.reason,
          createdById: wish.actorId,
        })
      }
      await cancelWaiting(tx, stack.id, badDigest, actor)
      const data = { badCommit, badDigest, reason: wish.reason }
      await appendAudit(tx, { actor, action: 'stack.quarantine', subject: stack.id, repositoryId, data })
      await refreshStack(tx, stack.id)
    }
    for (const stack of removed) {
      await cancelDestruction(tx, stack.id, actor)
      await refreshStack(tx, stack.id)
    }
  })
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
