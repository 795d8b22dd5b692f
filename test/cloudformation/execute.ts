import { setTimeout as delay } from 'node:timers/promises'
import { type Account, moveStack } from './account.ts'
import { orderedResources } from './desired.ts'
import {
  createResource,
  deleteResource,
  type Desired,
  liveScope,
  OperationFailed,
  outputsNow,
  updateResource,
} from './operate.ts'
import type { Stack, StackResource } from './model.ts'

export interface Execution extends Desired {
  body: string
  onStackFailure?: string
  revertDrift?: boolean
  /** Drifted resources that are written although their template did not change. */
  drifted?: ReadonlySet<string>
}

/** Creates every resource; a failure deletes what was made (ROLLBACK_COMPLETE), or as `onStackFailure` says. */
export async function runCreate(account: Account, stack: Stack, execution: Execution): Promise<void> {
  const { token } = execution
  moveStack(stack, 'CREATE_IN_PROGRESS', { reason: 'User Initiated', ...(token && { token }) })
  adopt(stack, execution)
  const failure = await steps(
    stack,
    orderedResources(execution.processed, liveScope(account, stack, execution)),
    (id) => createResource(account, stack, execution, id),
  )
  if (failure === undefined) {
    stack.outputs = outputsNow(account, stack, execution)
    moveStack(stack, 'CREATE_COMPLETE', { ...(token && { token }) })
    return
  }
  const reason = `The following resource(s) failed to create: [${failure.logicalId}]. `
  if (execution.onStackFailure === 'DO_NOTHING')
    return moveStack(stack, 'CREATE_FAILED', { reason, ...(token && { token }) })
  const remove = execution.onStackFailure === 'DELETE'
  moveStack(stack, remove ? 'DELETE_IN_PROGRESS' : 'ROLLBACK_IN_PROGRESS', {
    reason: `${reason}Rollback requested by user.`,
    ...(token && { token }),
  })
  for (const resource of [...stack.resources.values()].reverse()) {
    await deleteResource(account, stack, resource, { ...(token && { token }) })
    stack.resources.delete(resource.logicalId)
  }
  if (remove) stack.deleted = new Date()
  moveStack(stack, remove ? 'DELETE_COMPLETE' : 'ROLLBACK_COMPLETE', { ...(token && { token }) })
}

/** Updates a stack; a failure or a cancellation brings every touched resource back (UPDATE_ROLLBACK_COMPLETE). */
export async function runUpdate(account: Account, stack: Stack, execution: Execution): Promise<void> {
  const { token } = execution
  const withToken = token === undefined ? {} : { token }
  const before: Execution = {
    processed: stack.processed,
    parameters: stack.parameters,
    tags: stack.tags,
    body: stack.body,
    ...withToken,
  }
  const known = new Map([...stack.resources].map(([id, resource]) => [id, structuredClone(resource)]))
  const outputs = stack.outputs
  stack.cancelRequested = false
  moveStack(stack, 'UPDATE_IN_PROGRESS', { reason: 'User Initiated', ...withToken })
  const old: StackResource[] = []
  const ordered = orderedResources(execution.processed, liveScope(account, stack, execution))
  const failure = await steps(stack, ordered, async (id) => {
    const resource = stack.resources.get(id)
    const gone =
      resource && execution.revertDrift && execution.drifted?.has(id) && !account.objects.has(resource.physicalId)
    if (resource === undefined || gone) {
      stack.resources.delete(id)
      return await createResource(account, stack, execution, id)
    }
    const force = execution.drifted?.has(id) ?? false
    const replaced = await updateResource(account, stack, execution, {
      resource,
      revertDrift: execution.revertDrift ?? false,
      force,
    })
    if (replaced) old.push(replaced)
  })
  if (failure !== undefined) return await rollBack(account, stack, { failure, before, known, outputs })
  moveStack(stack, 'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS', withToken)
  const removed = [...stack.resources.values()].filter(({ logicalId }) => !ordered.includes(logicalId)).reverse()
  for (const resource of [...old, ...removed]) {
    // A failing clean-up does not fail the update; the resource stays behind, with its event.
    await deleteResource(account, stack, resource, withToken).catch(ignoreFailed)
    if (stack.resources.get(resource.logicalId)?.physicalId === resource.physicalId)
      stack.resources.delete(resource.logicalId)
  }
  adopt(stack, execution)
  stack.updated = new Date()
  stack.driftStatus = 'NOT_CHECKED'
  stack.outputs = outputsNow(account, stack, execution)
  moveStack(stack, 'UPDATE_COMPLETE', withToken)
}

interface RollBack {
  failure: Failure
  before: Execution
  known: Map<string, StackResource>
  outputs: Stack['outputs']
}

async function rollBack(account: Account, stack: Stack, { failure, before, known, outputs }: RollBack): Promise<void> {
  const withToken = before.token === undefined ? {} : { token: before.token }
  const reason = failure.canceled
    ? 'User Initiated'
    : `The following resource(s) failed to update: [${failure.logicalId}]. `
  moveStack(stack, 'UPDATE_ROLLBACK_IN_PROGRESS', { reason, ...withToken })
  const extra: StackResource[] = []
  let stuck = false
  for (const resource of stack.resources.values()) {
    const previous = known.get(resource.logicalId)
    if (previous === undefined || previous.physicalId !== resource.physicalId) {
      extra.push({ ...resource })
      if (previous) stack.resources.set(resource.logicalId, previous)
      continue
    }
    await updateResource(account, stack, before, { resource, revertDrift: false, force: false }).catch(
      () => (stuck = true),
    )
  }
  stack.updated = new Date()
  if (stuck)
    return moveStack(stack, 'UPDATE_ROLLBACK_FAILED', {
      reason: 'The following resource(s) failed to update',
      ...withToken,
    })
  moveStack(stack, 'UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS', withToken)
  for (const resource of extra) {
    await deleteResource(account, stack, resource, withToken).catch(ignoreFailed)
    if (!known.has(resource.logicalId)) stack.resources.delete(resource.logicalId)
  }
  stack.outputs = outputs
  moveStack(stack, 'UPDATE_ROLLBACK_COMPLETE', withToken)
}

/** Deletes a stack; what fails leaves it in DELETE_FAILED. */
export async function runDelete(
  account: Account,
  stack: Stack,
  options: { token?: string; retain: readonly string[] },
): Promise<void> {
  const withToken = options.token === undefined ? {} : { token: options.token }
  moveStack(stack, 'DELETE_IN_PROGRESS', { reason: 'User Initiated', ...withToken })
  for (const resource of [...stack.resources.values()].reverse()) {
    try {
      await deleteResource(account, stack, resource, {
        ...withToken,
        keep: options.retain.includes(resource.logicalId),
      })
      stack.resources.delete(resource.logicalId)
    } catch (thrown) {
      ignoreFailed(thrown)
      moveStack(stack, 'DELETE_FAILED', {
        reason: `The following resource(s) failed to delete: [${resource.logicalId}]. `,
        ...withToken,
      })
      return
    }
  }
  await delay(account.stepMs)
  stack.deleted = new Date()
  stack.outputs = {}
  moveStack(stack, 'DELETE_COMPLETE', withToken)
}

interface Failure {
  logicalId: string
  canceled: boolean
}

async function steps(
  stack: Stack,
  ids: readonly string[],
  step: (id: string) => Promise<unknown>,
): Promise<Failure | undefined> {
  for (const id of ids) {
    if (stack.cancelRequested) return { logicalId: id, canceled: true }
    try {
      await step(id)
    } catch (thrown) {
      ignoreFailed(thrown)
      return { logicalId: id, canceled: false }
    }
  }
  return stack.cancelRequested ? { logicalId: '', canceled: true } : undefined
}

function adopt(stack: Stack, execution: Execution): void {
  const { body, processed, parameters, tags } = execution
  Object.assign(stack, { body, processed, parameters, tags })
}

function ignoreFailed(thrown: unknown): void {
  if (!(thrown instanceof OperationFailed)) throw thrown
}
