import { CHANGING_KINDS, PENDING_STATES } from '../../domain/runs/run.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import { appendAudit } from '../../store/audit/audit.ts'
import type { Queries, Tx } from '../../store/database/context.ts'
import { nowOf } from '../../store/open.ts'
import { createRun, listRuns, type Run } from '../../store/runs/runs.ts'
import { releasePlaces } from '../../store/stacks/places.ts'
import { patchStack, requireStack, type Stack } from '../../store/stacks/stacks.ts'
import { releaseFromGone } from './dependencies.ts'
import { stackCapabilities } from '../driver-capabilities.ts'
import { type EngineParts, userActor } from '../parts.ts'
import { type RunSpec, specToJson } from '../run-spec.ts'
import { refreshStack } from '../stacks/status.ts'
import { workersFor } from '../workers-for.ts'

export interface OrphanWish {
  stackId: string
  /** `destroy`: a run that waits for the approval of its plan. `forget`: what the stack made stays and is nobody's. */
  how: 'destroy' | 'forget'
  reason: string
  actorId: string
}

/**
 * Decides about a stack that left Git with `onRemove: keep`. Gives the destroy run, null where it is forgotten.
 * Errors: NOT_FOUND, CONFLICT (still in Git, a run is to change it, or the driver cannot destroy).
 */
export async function removeOrphan(parts: EngineParts, wish: OrphanWish): Promise<Run | null> {
  return await parts.store.transaction(async (tx) => {
    const stack = await requireStack(tx, wish.stackId)
    await assertOrphaned(tx, stack, `removing ${stack.environment}/${stack.name}`)
    return wish.how === 'forget' ? await forget(tx, stack, wish) : await orderDestruction(tx, stack, wish)
  })
}

async function assertOrphaned(tx: Queries, stack: Stack, doing: string): Promise<void> {
  const refused = (why: string, next: string): TrueupError => new TrueupError('CONFLICT', { doing, why, next })
  if (stack.desiredCommit !== null)
    throw refused('it is still in Git', 'Remove it from trueup.yaml by a merge request first.')
  if (stack.deployedCommit === null && stack.brokenByRunId === null)
    throw refused('nothing of it is deployed', 'There is nothing to decide.')
  const { items } = await listRuns(
    tx,
    { stackId: stack.id, kinds: CHANGING_KINDS, states: PENDING_STATES },
    { limit: 1 },
  )
  if (items[0]) throw refused(`run ${items[0].id} is to change it`, 'Wait for its end or cancel it.')
}

async function forget(tx: Tx, stack: Stack, wish: OrphanWish): Promise<null> {
  await patchStack(tx, stack.id, {
    deployedCommit: null,
    deployedDigest: null,
    deployedConfig: null,
    deployedPool: null,
    brokenByRunId: null,
    nextDriftAt: null,
    removedAt: nowOf(tx),
  })
  await appendAudit(tx, {
    actor: userActor(wish.actorId),
    action: 'stack.forgotten',
    subject: stack.id,
    repositoryId: stack.repositoryId,
    data: { reason: wish.reason, lastCommit: stack.deployedCommit },
  })
  await releasePlaces(tx, stack.id)
  await releaseFromGone(tx, stack.id)
  await refreshStack(tx, stack.id)
  return null
}

async function orderDestruction(tx: Tx, stack: Stack, wish: OrphanWish): Promise<Run> {
  const doing = `destroying ${stack.environment}/${stack.name}`
  const deployed = stack.deployedConfig as unknown as RunSpec | null
  if (!deployed || stack.deployedCommit === null) {
    const next = 'Forget it, and remove by hand what the failed deployment made.'
    throw new TrueupError('CONFLICT', { doing, why: 'it was never deployed to its end', next })
  }
  if (!stackCapabilities(deployed.definition).destroy) {
    const why = `driver "${deployed.definition.driver}" cannot destroy what this stack made`
    throw new TrueupError('CONFLICT', { doing, why, next: 'Remove it by hand, then forget the stack.' })
  }
  const run = await createRun(tx, {
    stackId: stack.id,
    repositoryId: stack.repositoryId,
    kind: 'destroy',
    commitOid: stack.deployedCommit,
    desiredDigest: deployed.sourceDigest,
    spec: specToJson({ ...deployed, destroy: true, cause: 'config', orderedById: wish.actorId }),
    ...workersFor(deployed.definition),
    reason: 'orphan_removed',
    message: wish.reason,
    actor: userActor(wish.actorId),
  })
  await refreshStack(tx, stack.id)
  return run
}
