import { topological } from '../../domain/stacks/order.ts'
import type { Cause } from '../../domain/plans/plan.ts'
import type { StackKey } from '../../domain/stacks/stack.ts'
import { canonicalJson } from '../../lib/json.ts'
import type { Queries, Tx } from '../../store/database/context.ts'
import { releaseHeldRuns } from '../../store/runs/search.ts'
import { createRun, type Run } from '../../store/runs/runs.ts'
import { findStack, patchStack } from '../../store/stacks/stacks.ts'
import { HELD_REASONS } from '../stacks/held.ts'
import { previewsOf } from '../merge-requests/previews.ts'
import { SYSTEM } from '../parts.ts'
import { specOf, specToJson } from '../run-spec.ts'
import { affectedStacks } from '../snapshot/affected.ts'
import type { StackSource } from '../snapshot/snapshot.ts'
import { stackRowOf } from '../stacks/rows.ts'
import { refreshStack } from '../stacks/status.ts'
import { overtake, overtakenRuns } from './overtake.ts'
import { releaseFromOldNeeds } from './old-needs.ts'
import { removeStacks } from './remove-stacks.ts'
import { approvalOf, type Step } from './step.ts'
import { type Seen, seenRun, upstreamOf, waitingOn } from './upstream.ts'

/** Orders the runs of one step, in the transaction that moves the cursor past it. Costs what the step changes. */
export async function orderRuns(tx: Tx, step: Step): Promise<void> {
  const affected = affectedStacks(step.before, step.after)
  const wanted = new Map<StackKey, Cause>()
  for (const { key, how } of affected) if (how !== 'removed') wanted.set(key, 'config')
  // Stacks that Git does not touch, but whose inputs were predicted to change: their plans were approved with the MR.
  for (const [key, preview] of Object.entries(step.mr ? previewsOf(step.mr) : {})) {
    if (preview.how === 'dependant' && step.after.stacks.has(key) && !wanted.has(key)) wanted.set(key, 'input')
  }
  const reconfigured = step.before.config !== step.after.config
  // Runs are ordered by what stacks need now, also those that do not change.
  if (reconfigured) await noteSettings(tx, step, wanted)
  const runs = wanted.size > 0 ? await orderDeploys(tx, step, wanted) : new Map<StackKey, string>()
  const removed = affected.filter((stack) => stack.how === 'removed').map((stack) => stack.key)
  if (removed.length > 0) await removeStacks(tx, step, removed, runs)
  if (reconfigured) {
    await releaseFromOldNeeds(tx, step)
    // Windows may have changed.
    await releaseHeldRuns(tx, { repositoryId: step.repositoryId, reasons: HELD_REASONS })
  }
}

async function orderDeploys(tx: Tx, step: Step, wanted: ReadonlyMap<StackKey, Cause>): Promise<Map<StackKey, string>> {
  const runs = new Map<StackKey, string>()
  const seen: Seen = new Map()
  for (const { key } of topological([...step.after.stacks.values()].map((source) => source.definition))) {
    const cause = wanted.get(key)
    if (cause === undefined) continue
    const run = await orderDeploy(tx, step, step.after.stacks.get(key)!, { cause, seen })
    runs.set(key, run.id)
    seen.set(key, seenRun(run))
  }
  return runs
}

async function orderDeploy(
  tx: Tx,
  step: Step,
  source: StackSource,
  { cause, seen }: { cause: Cause; seen: Seen },
): Promise<Run> {
  const { repositoryId, commitOid, mergeSequence, mr } = step
  const { definition, sourceDigest } = source
  const stack = await stackRowOf(tx, repositoryId, source)
  await patchStack(tx, stack.id, { desiredCommit: commitOid, desiredDigest: sourceDigest, removedAt: null })
  const overtaken = await overtakenRuns(tx, stack.id)
  const upstream = await upstreamOf(tx, stack, definition.needs, seen)
  const run = await createRun(tx, {
    stackId: stack.id,
    repositoryId,
    kind: 'deploy',
    commitOid,
    desiredDigest: sourceDigest,
    spec: specToJson(specOf(source, { cause })),
    mergeSequence,
    pool: definition.pool,
    actor: SYSTEM,
    ...waitingOn(upstream),
    ...(mr && { mrId: mr.id }),
    ...(await approvalOf(tx, mr, definition.key)),
  })
  await overtake(tx, overtaken, run.id)
  await refreshStack(tx, stack.id)
  return run
}

/** Stacks whose desired state stays may still have other settings: drift mode, pool, needs, checks. */
async function noteSettings(tx: Queries, step: Step, wanted: ReadonlyMap<StackKey, Cause>): Promise<void> {
  const { repositoryId, before, after } = step
  for (const [key, source] of after.stacks) {
    if (wanted.has(key) || sameSettings(before.stacks.get(key), source)) continue
    const { environment, name, path } = source.definition
    const stack = await findStack(tx, { repositoryId, environment, name })
    if (stack) await patchStack(tx, stack.id, { config: specToJson(specOf(source)), path })
  }
}

const sameSettings = (a: StackSource | undefined, b: StackSource): boolean =>
  a === b || (a !== undefined && canonicalJson([a.definition, a.paths]) === canonicalJson([b.definition, b.paths]))
