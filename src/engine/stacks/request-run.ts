import { describeRequest, partsOf, type RunRequest } from '../../domain/runs/run-request.ts'
import { CHANGING_KINDS, PENDING_STATES } from '../../domain/runs/run.ts'
import { driverNamed } from '../../drivers/registry.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import type { JsonObject } from '../../lib/json.ts'
import { appendAudit } from '../../store/audit/audit.ts'
import type { Queries } from '../../store/database/context.ts'
import { findQuarantine } from '../../store/stacks/quarantine.ts'
import { createRun, listRuns, type Run } from '../../store/runs/runs.ts'
import { requireStack, type Stack } from '../../store/stacks/stacks.ts'
import { type EngineParts, userActor } from '../parts.ts'
import { type RunSpec, specToJson } from '../run-spec.ts'
import { workersFor } from '../workers-for.ts'
import { refreshStack } from './status.ts'

export interface RequestWish {
  stackId: string
  request: RunRequest
  reason: string
  actorId: string
}

/**
 * Orders a run of what is deployed, narrowed or widened as a person asks: only some resources, some made anew, or an edit
 * of the tool's state. It is a heal in that it never moves the stack to another desired state (a pending change or a
 * broken stack ends it), and a deployment in that it needs the approval that its environment wants, of somebody else.
 * Errors: CONFLICT.
 */
export async function requestRun(parts: EngineParts, wish: RequestWish): Promise<Run> {
  return await parts.store.transaction(async (tx) => {
    const stack = await requireStack(tx, wish.stackId)
    const deployed = await assertPossible(tx, stack, wish.request)
    const run = await createRun(tx, {
      stackId: stack.id,
      repositoryId: stack.repositoryId,
      kind: 'heal',
      commitOid: stack.deployedCommit!,
      desiredDigest: stack.deployedDigest ?? deployed.sourceDigest,
      spec: specToJson({ ...deployed, cause: 'config', request: wish.request, orderedById: wish.actorId }),
      ...workersFor(deployed.definition),
      reason: 'requested',
      message: `${describeRequest(wish.request)}: ${wish.reason}`,
      actor: userActor(wish.actorId),
    })
    await appendAudit(tx, {
      actor: userActor(wish.actorId),
      action: 'stack.run_requested',
      subject: stack.id,
      repositoryId: stack.repositoryId,
      data: { runId: run.id, request: wish.request as unknown as JsonObject, reason: wish.reason },
    })
    await refreshStack(tx, stack.id)
    return run
  })
}

/** What is deployed, if such a run may be ordered now. */
async function assertPossible(tx: Queries, stack: Stack, request: RunRequest): Promise<RunSpec> {
  const doing = `${describeRequest(request)} of ${stack.environment}/${stack.name}`
  const refused = (why: string, next: string): TrueupError => new TrueupError('CONFLICT', { doing, why, next })
  const deployed = stack.deployedConfig as unknown as RunSpec | null
  if (!deployed || stack.deployedCommit === null) throw refused('nothing is deployed', 'Deploy the stack first.')
  const { driver } = deployed.definition
  const able = driverNamed(driver).requests ?? []
  const unable = partsOf(request).filter((part) => !able.includes(part))
  if (unable.length > 0)
    throw refused(`driver "${driver}" knows no ${unable.join(' and no ')}`, 'Change the source by a merge request.')
  if (stack.desiredCommit === null)
    throw refused('the stack is no longer in Git', 'Put it back, or remove what it made (trueup stack remove).')
  if (stack.brokenByRunId !== null)
    throw refused(`run ${stack.brokenByRunId} left it half applied`, 'Deploy a fix or roll back first.')
  const filter = { stackId: stack.id, kinds: CHANGING_KINDS, states: PENDING_STATES }
  const [pending] = (await listRuns(tx, filter, { limit: 1 })).items
  if (pending) throw refused(`run ${pending.id} is to change it`, 'Wait for its end or cancel it.')
  if (await findQuarantine(tx, stack.id, deployed.sourceDigest))
    throw refused('the deployed revision was rolled back and is quarantined', 'Wait for the rollback.')
  return deployed
}
