import { topological } from '../../domain/stacks/order.ts'
import type { StackKey } from '../../domain/stacks/stack.ts'
import { appendAudit } from '../../store/audit/audit.ts'
import type { Tx } from '../../store/database/context.ts'
import { nowOf } from '../../store/open.ts'
import { releasePlaces } from '../../store/stacks/places.ts'
import { createRun, listRuns } from '../../store/runs/runs.ts'
import { findStack, patchStack, type Stack } from '../../store/stacks/stacks.ts'
import { SYSTEM } from '../parts.ts'
import { specToJson } from '../run-spec.ts'
import { removalFate } from '../stacks/removal.ts'
import { refreshStack } from '../stacks/status.ts'
import { releaseFromGone } from './dependencies.ts'
import { overtake, overtakenRuns, withdraw } from './overtake.ts'
import { type Approval, approvalsOf, type Step, unsignedBy } from './step.ts'
import { workersFor } from '../workers-for.ts'

/** A stack that has left Git, and those that needed it before. */
export interface Removal {
  key: StackKey
  neededBy: StackKey[]
}

/** What needs another stack goes before it. */
export function inOrderOfRemoval({ before }: Step, removed: readonly StackKey[]): Removal[] {
  if (removed.length === 0) return []
  const removals = new Map<StackKey, Removal>(removed.map((key) => [key, { key, neededBy: [] }]))
  const definitions = topological([...before.stacks.values()].map((source) => source.definition)).reverse()
  for (const { key, needs } of definitions) for (const need of new Set(needs)) removals.get(need)?.neededBy.push(key)
  return definitions.flatMap(({ key }) => removals.get(key) ?? [])
}

/**
 * Stacks that left Git: destroyed where the configuration before said so and the MR showed the plan, kept as orphans
 * otherwise. A stack is destroyed after what needed it has been destroyed or deployed without it: `ordered` has the runs of
 * the step so far, by stack, and gets these.
 */
export async function removeStacks(
  tx: Tx,
  step: Step,
  removals: readonly Removal[],
  ordered: Map<StackKey, string>,
): Promise<void> {
  const approvals = await approvalsOf(
    tx,
    step,
    removals.map(({ key }) => key),
  )
  for (const { key, neededBy } of removals) {
    const dependsOn = neededBy.flatMap((other) => ordered.get(other) ?? [])
    const runId = await removeStack(tx, step, key, { dependsOn, approval: approvals.get(key) })
    if (runId) ordered.set(key, runId)
  }
}

async function removeStack(
  tx: Tx,
  step: Step,
  key: StackKey,
  { dependsOn, approval }: { dependsOn: string[]; approval: Approval | undefined },
): Promise<string | null> {
  const { repositoryId, commitOid, mergeSequence, mr } = step
  const { definition } = step.before.stacks.get(key)!
  const { environment, name } = definition
  const stack = await findStack(tx, { repositoryId, environment, name })
  if (!stack) return null
  // A killed process has seen to it already.
  if (step.resumed && stack.desiredCommit === null) return await destructionOf(tx, stack, mergeSequence)
  await patchStack(tx, stack.id, { desiredCommit: null, desiredDigest: null, nextDriftAt: null })
  const overtaken = await overtakenRuns(tx, stack.id)
  const fate = removalFate(stack, definition, step.after.config !== null)
  let runId: string | null = null
  if (fate.how === 'destroy') {
    const run = await createRun(tx, {
      stackId: stack.id,
      repositoryId,
      kind: 'destroy',
      commitOid: fate.commitOid,
      desiredDigest: fate.spec.sourceDigest,
      spec: specToJson({ ...fate.spec, ...unsignedBy(step, environment) }),
      mergeSequence,
      ...workersFor(definition),
      dependsOn: dependsOn.filter((id) => !overtaken.dependents.has(id)),
      actor: SYSTEM,
      ...(mr && { mrId: mr.id }),
      ...approval,
    })
    runId = run.id
    await overtake(tx, overtaken, run.id)
  } else {
    await withdraw(tx, stack.id)
    if (fate.how === 'nothing') {
      await patchStack(tx, stack.id, { removedAt: nowOf(tx) })
      await releasePlaces(tx, stack.id)
      await releaseFromGone(tx, stack.id)
    } else await noteOrphan(tx, stack, commitOid, fate.why)
  }
  await refreshStack(tx, stack.id)
  return runId
}

async function destructionOf(tx: Tx, { id: stackId }: Stack, mergeSequence: number): Promise<string | null> {
  const { items } = await listRuns(tx, { stackId, kinds: ['destroy'] }, { limit: 1 })
  return items.find((run) => run.mergeSequence === mergeSequence)?.id ?? null
}

async function noteOrphan(tx: Tx, stack: Stack, commitOid: string, why: string): Promise<void> {
  const { environment, name, repositoryId } = stack
  await appendAudit(tx, {
    actor: SYSTEM,
    action: 'stack.orphaned',
    subject: stack.id,
    repositoryId,
    data: { environment, name, commitOid, why },
  })
}
