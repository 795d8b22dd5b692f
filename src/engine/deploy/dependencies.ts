import type { RunState } from '../../domain/runs/run.ts'
import { stackKey } from '../../domain/stacks/stack.ts'
import type { Queries, Tx } from '../../store/database/context.ts'
import {
  dropRunDependency,
  getRun,
  listRuns,
  patchRun,
  replaceRunDependency,
  type Run,
  runDependencies,
  transitionRun,
} from '../../store/runs/runs.ts'
import { requireStack } from '../../store/stacks/stacks.ts'
import { SYSTEM } from '../parts.ts'
import { refreshStack } from '../stacks/status.ts'

/** What waits for one run waits for another from now on: the other one does what the first was to do. */
export async function moveDependents(tx: Tx, fromRunId: string, toRunId: string): Promise<void> {
  for (const id of (await runDependencies(tx, fromRunId)).dependents) {
    const dependent = await getRun(tx, id)
    if (!dependent || id === toRunId || !['queued', 'blocked'].includes(dependent.state)) continue
    await replaceRunDependency(tx, id, fromRunId, toRunId)
    if (dependent.state === 'blocked') await unblock(tx, dependent)
  }
}

/** What waits for this run need not wait any more. */
export async function releaseFrom(tx: Tx, runId: string): Promise<void> {
  for (const id of (await runDependencies(tx, runId)).dependents) {
    await dropRunDependency(tx, id, runId)
    const dependent = await getRun(tx, id)
    if (dependent?.state === 'blocked') await unblock(tx, dependent)
  }
}

/** Nothing is left of this stack: what waits until it is right (destructions do) would wait for ever. */
export async function releaseFromGone(tx: Tx, stackId: string): Promise<void> {
  const ended = await listRuns(tx, { stackId, kinds: ['deploy', 'destroy'], states: NOT_DONE }, { limit: 50 })
  for (const { id } of ended.items) await releaseFrom(tx, id)
}

/** Ends at which a run has not done what it was for. */
const NOT_DONE = ['failed', 'canceled', 'lost', 'superseded'] as const satisfies RunState[]
const STOPPED: readonly RunState[] = [...NOT_DONE, 'blocked']

/** Stacks that waited for an earlier, failed run of this stack may go on now that a later one has succeeded. */
export async function releaseDependents(tx: Tx, run: Deployed): Promise<void> {
  const filter = { stackId: run.stackId, kinds: ['deploy', 'destroy'], states: NOT_DONE } as const
  const earlier = await listRuns(tx, filter, { limit: 50 })
  for (const other of earlier.items) if (isBeyond(run, other)) await moveDependents(tx, other.id, run.id)
}

type Deployed = Pick<Run, 'id' | 'stackId' | 'mergeSequence'>

/**
 * Whether a run brought its stack at least as far as another one was to. A later one need not have: the follower of a
 * lost run is of the older merge.
 */
export const isBeyond = (run: Deployed, other: Deployed): boolean =>
  run.id > other.id &&
  (run.mergeSequence === null || other.mergeSequence === null || run.mergeSequence >= other.mergeSequence)

/** A blocked run goes on unless something else still keeps it, which it names then; and so does what it blocks. */
export async function unblock(tx: Tx, run: Pick<Run, 'id' | 'stackId' | 'message'>): Promise<void> {
  for (const id of (await runDependencies(tx, run.id)).dependsOn) {
    const upstream = await getRun(tx, id)
    if (!upstream || !STOPPED.includes(upstream.state)) continue
    const message = await waitingForRun(tx, upstream)
    if (message === run.message) return
    await patchRun(tx, run.id, { message })
    return await refreshStack(tx, run.stackId)
  }
  await transitionRun(tx, { runId: run.id, to: 'queued', reason: 'upstream_goes_on', actor: SYSTEM })
  await refreshStack(tx, run.stackId)
  for (const id of (await runDependencies(tx, run.id)).dependents) {
    const dependent = await getRun(tx, id)
    if (dependent?.state === 'blocked') await unblock(tx, dependent)
  }
}

/** What depends on a run that did not succeed is blocked, not failed, and so is what depends on that. */
export async function blockDependents(tx: Tx, run: Pick<Run, 'id' | 'stackId'>): Promise<void> {
  const message = await waitingForRun(tx, run)
  for (const id of (await runDependencies(tx, run.id)).dependents) {
    const dependent = await getRun(tx, id)
    if (dependent?.state !== 'queued') continue
    await transitionRun(tx, { runId: id, to: 'blocked', reason: 'upstream_failed', message, actor: SYSTEM })
    await refreshStack(tx, dependent.stackId)
    await blockDependents(tx, dependent)
  }
}

export const waitingFor = (stack: string, runId: string): string =>
  `waits for ${stack}, whose run ${runId} did not succeed`

async function waitingForRun(tx: Queries, run: Pick<Run, 'id' | 'stackId'>): Promise<string> {
  const { environment, name } = await requireStack(tx, run.stackId)
  return waitingFor(stackKey(environment, name), run.id)
}
