import { topological } from '../../domain/stacks/order.ts'
import { stackKey } from '../../domain/stacks/stack.ts'
import { findQuarantine } from '../../store/stacks/quarantine.ts'
import { createRun, listRuns, type Run } from '../../store/runs/runs.ts'
import { allStacks, findStack, requireStack, type Stack } from '../../store/stacks/stacks.ts'
import { desiredDigestOf } from '../stacks/desired.ts'
import { resolveInputs } from '../stacks/inputs.ts'
import { currentOutputs } from '../stacks/outputs.ts'
import { type EngineParts, SYSTEM } from '../parts.ts'
import { specOf, specToJson } from '../run-spec.ts'
import { snapshotOf } from '../revisions/branch.ts'
import { signedUpTo } from '../signatures/history.ts'
import type { StackSource } from '../snapshot/snapshot.ts'
import { refreshStack } from '../stacks/status.ts'
import { begunStep, usableCommit } from '../revisions/cursor.ts'
import { orderRedeployment } from '../run-tasks.ts'
import { nowOf } from '../../store/open.ts'
import { upstreamOf, waitingOn } from './upstream.ts'
import { workersFor } from '../workers-for.ts'

/**
 * Deploys stacks whose inputs have changed by this run although Git did not touch them. Those that the same merge
 * deploys anyway wait in the queue already and read the new values when they are granted.
 */
export async function deployDependants(parts: EngineParts, run: Run): Promise<void> {
  if (await putOff(parts, run.repositoryId)) return
  const upstream = await requireStack(parts.store.db, run.stackId)
  const upstreamKey = `${upstream.environment}/${upstream.name}`
  const commitOid = await usableCommit(parts.store.db, run.repositoryId)
  if (commitOid === null) return
  const { stacks } = await snapshotOf(parts, run.repositoryId, commitOid)
  for (const source of stacks.values()) {
    if (!Object.values(source.definition.inputs).some((input) => input.stack === upstreamKey)) continue
    const { environment, name } = source.definition
    const stack = await findStack(parts.store.db, { repositoryId: run.repositoryId, environment, name })
    if (!stack) continue
    const order = { commitOid, reason: 'inputs_changed', mergeSequence: run.mergeSequence }
    await redeploy(parts, stack, source, order)
  }
}

/** Deploys stacks that have another set of variables now than the one that they were deployed with. */
export async function deployWithNewVariables(parts: EngineParts, repositoryId: string): Promise<void> {
  if (await putOff(parts, repositoryId)) return
  const commitOid = await usableCommit(parts.store.db, repositoryId)
  if (commitOid === null) return
  const { stacks } = await snapshotOf(parts, repositoryId, commitOid)
  const rows = await allStacks(parts.store.db, { repositoryId })
  const known = new Map(rows.map((stack) => [stackKey(stack.environment, stack.name), stack]))
  // What a stack needs comes first, for it is to wait for that.
  for (const { key } of topological([...stacks.values()].map((source) => source.definition))) {
    const [source, stack] = [stacks.get(key)!, known.get(key)]
    if (!stack || stack.deployedDigest === null) continue
    await redeploy(parts, stack, source, { commitOid, reason: 'variables_changed', mergeSequence: null })
  }
}

/** A look every so often, while the step of many stacks is ordered. */
const STEP_MS = 1_000

/**
 * In the middle of a step nobody knows yet which stacks it deploys anyway, and what the last one says of them is old: all are
 * looked at after it.
 */
async function putOff({ store }: EngineParts, repositoryId: string): Promise<boolean> {
  if (!(await begunStep(store.db, repositoryId))) return false
  await store.transaction((tx) => orderRedeployment(tx, repositoryId, { runAt: nowOf(tx) + STEP_MS }))
  return true
}

/**
 * Orders a deployment of what Git says already, where inputs or variables make it another desired state. Nobody has
 * approved its plan, so it waits in protected environments where it changes something. Like any other it waits for what
 * the stack needs.
 */
async function redeploy(
  parts: EngineParts,
  stack: Stack,
  source: StackSource,
  order: { commitOid: string; reason: string; mergeSequence: number | null },
): Promise<void> {
  // A half-applied stack is for people, and what was rolled back stays so.
  if (stack.desiredCommit === null || stack.brokenByRunId !== null) return
  if (await findQuarantine(parts.store.db, stack.id, source.sourceDigest)) return
  const outputs = await currentOutputs(parts, stack.repositoryId, source.definition)
  const resolution = resolveInputs(source.definition, (key) => outputs.get(key) ?? null, false)
  if (resolution.status !== 'resolved') return
  const desiredDigest = await desiredDigestOf(parts, stack.repositoryId, source, resolution.inputs)
  if (desiredDigest === stack.deployedDigest) return
  const refused = Object.hasOwn(await signedUpTo(parts.store.db, stack.repositoryId), source.definition.environment)
  await parts.store.transaction(async (tx) => {
    // One that is still to be granted reads the new values by itself.
    const states = ['queued', 'leased', 'preparing', 'planning', 'awaiting_approval', 'blocked'] as const
    const pending = await listRuns(tx, { stackId: stack.id, kinds: ['deploy', 'destroy'], states }, { limit: 20 })
    if (pending.items.some((run) => run.leaseUntil === null || run.desiredDigest === desiredDigest)) return
    const { definition } = source
    await createRun(tx, {
      stackId: stack.id,
      repositoryId: stack.repositoryId,
      kind: 'deploy',
      commitOid: order.commitOid,
      desiredDigest,
      spec: specToJson(specOf(source, { cause: 'input', ...(refused && { unsigned: order.commitOid }) })),
      ...workersFor(definition),
      reason: order.reason,
      actor: SYSTEM,
      ...waitingOn(await upstreamOf(tx, stack, definition.needs)),
      ...(order.mergeSequence !== null && { mergeSequence: order.mergeSequence }),
    })
    await refreshStack(tx, stack.id)
  })
}
