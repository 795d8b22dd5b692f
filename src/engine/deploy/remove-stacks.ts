import { topological } from '../../domain/stacks/order.ts'
import type { StackKey } from '../../domain/stacks/stack.ts'
import { appendAudit } from '../../store/audit/audit.ts'
import type { Tx } from '../../store/database/context.ts'
import { nowOf } from '../../store/open.ts'
import { releasePlaces } from '../../store/stacks/places.ts'
import { createRun } from '../../store/runs/runs.ts'
import { findStack, patchStack, type Stack } from '../../store/stacks/stacks.ts'
import { SYSTEM } from '../parts.ts'
import { specToJson } from '../run-spec.ts'
import { removalFate } from '../stacks/removal.ts'
import { refreshStack } from '../stacks/status.ts'
import { releaseFromGone } from './dependencies.ts'
import { overtake, overtakenRuns, withdraw } from './overtake.ts'
import { approvalOf, type Step } from './step.ts'

/**
 * Stacks that left Git: destroyed where the configuration before said so and the MR showed the plan, kept as orphans
 * otherwise. A stack is destroyed after what needed it has been destroyed or deployed without it (`runs`).
 */
export async function removeStacks(
  tx: Tx,
  step: Step,
  removed: readonly StackKey[],
  runs: ReadonlyMap<StackKey, string>,
): Promise<void> {
  const gone = new Set(removed)
  const definitions = topological([...step.before.stacks.values()].map((source) => source.definition))
  const before = new Map(runs)
  for (const definition of definitions.reverse()) {
    if (!gone.has(definition.key)) continue
    const neededBy = definitions.filter((other) => other.needs.includes(definition.key))
    const dependsOn = neededBy.flatMap((other) => before.get(other.key) ?? [])
    const runId = await removeStack(tx, step, definition.key, dependsOn)
    if (runId) before.set(definition.key, runId)
  }
}

async function removeStack(tx: Tx, step: Step, key: StackKey, dependsOn: string[]): Promise<string | null> {
  const { repositoryId, commitOid, mergeSequence, mr } = step
  const { definition } = step.before.stacks.get(key)!
  const { environment, name } = definition
  const stack = await findStack(tx, { repositoryId, environment, name })
  if (!stack) return null
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
      spec: specToJson(fate.spec),
      mergeSequence,
      pool: definition.pool,
      dependsOn: dependsOn.filter((id) => !overtaken.dependents.has(id)),
      actor: SYSTEM,
      ...(mr && { mrId: mr.id }),
      ...(await approvalOf(tx, mr, key)),
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
