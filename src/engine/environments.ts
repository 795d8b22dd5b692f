import { TrueupError } from '../lib/errors/error.ts'
import { appendAudit } from '../store/audit/audit.ts'
import { activeFreezes, createFreeze, type Freeze, getFreeze, liftFreeze } from '../store/stacks/freezes.ts'
import { releaseHeldRuns } from '../store/runs/search.ts'
import { assertSayable, type EnvironmentStatement } from './environment-statements.ts'
import { type EngineParts, userActor } from './parts.ts'
import { HELD_REASONS, reviewHeldRuns } from './stacks/held.ts'
import { orderAllPreviews } from './run-tasks.ts'

export interface FreezeWish extends EnvironmentStatement {
  reason: string
  actorId: string
}

/**
 * Stops deployments and heals to an environment; previews and drift checks go on, what is being applied goes to its end.
 * Errors: NOT_FOUND (no such environment), INVALID_REQUEST.
 */
export async function freezeEnvironment(parts: EngineParts, wish: FreezeWish): Promise<Freeze> {
  const { repositoryId, environment, until, actorId } = wish
  const doing = `freezing ${environment}`
  const reason = wish.reason.trim()
  if (reason === '') throw new TrueupError('INVALID_REQUEST', { doing, why: 'the reason is empty' })
  await assertSayable(parts, wish, doing)
  return await parts.store.transaction(async (tx) => {
    const freeze = await createFreeze(tx, { repositoryId, environment, reason, createdById: actorId, until })
    const data = { freezeId: freeze.id, environment, reason, until }
    await appendAudit(tx, {
      actor: userActor(actorId),
      action: 'environment.freeze',
      subject: `${repositoryId}:${environment}`,
      repositoryId,
      data,
    })
    // Their gates say whether what is merged is deployed at once.
    await orderAllPreviews(tx, repositoryId)
    return freeze
  })
}

/** Lifts one freeze; what it held back goes on at once unless something else holds it too. NOT_FOUND, CONFLICT (lifted). */
export async function unfreezeEnvironment(
  parts: EngineParts,
  { freezeId, actorId }: { freezeId: string; actorId: string },
): Promise<Freeze> {
  const lifted = await parts.store.transaction(async (tx) => {
    const doing = `lifting freeze ${freezeId}`
    const freeze = await getFreeze(tx, freezeId)
    if (!freeze) throw new TrueupError('NOT_FOUND', { doing, why: 'there is no such freeze' })
    if (freeze.liftedAt !== null) throw new TrueupError('CONFLICT', { doing, why: 'it is lifted already' })
    const { repositoryId, environment } = freeze
    const lifted = await liftFreeze(tx, freezeId)
    await appendAudit(tx, {
      actor: userActor(actorId),
      action: 'environment.unfreeze',
      subject: `${repositoryId}:${environment}`,
      repositoryId,
      data: { freezeId, environment },
    })
    await releaseHeldRuns(tx, { repositoryId, environment, reasons: HELD_REASONS })
    await orderAllPreviews(tx, repositoryId)
    return lifted
  })
  // The clock would do that in its next round; whoever lifts it looks at once.
  await reviewHeldRuns(parts)
  return lifted
}

/** Freezes in force, oldest first. */
export const listFreezes = (parts: EngineParts, repositoryId: string): Promise<Freeze[]> =>
  activeFreezes(parts.store.db, { repositoryId })
