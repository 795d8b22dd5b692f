import { CHANGING_KINDS, type RunState } from '../../domain/runs/run.ts'
import type { Queries, Tx } from '../../store/database/context.ts'
import { listRuns, runDependencies, type RunSummary, transitionRun } from '../../store/runs/runs.ts'
import { changesUnderWay } from '../../store/runs/under-way.ts'
import { SYSTEM } from '../parts.ts'
import { moveDependents, releaseFrom } from './dependencies.ts'

export interface Overtaken {
  runs: RunSummary[]
  /** Runs that wait for one of them. */
  dependents: ReadonlySet<string>
}

/**
 * Which of a stack's changes under way a newer merge makes pointless: those that nobody has let go on yet. The newer plan was
 * made against the same reality and holds their changes too, so what was approved is still the whole difference. A destruction
 * that has not begun is among them when the stack is wanted again, and so is a heal: it would put back what the merge left
 * behind.
 */
export const overtakable = (runs: readonly RunSummary[]): RunSummary[] =>
  runs.filter(({ state, kind }) => (state === 'queued' ? kind !== 'deploy' : WAITING.includes(state)))

const WAITING: readonly RunState[] = ['awaiting_approval', 'blocked']

export async function overtakenRuns(tx: Queries, stackId: string): Promise<Overtaken> {
  const runs = overtakable((await changesUnderWay(tx, [stackId])).get(stackId) ?? [])
  const dependents = new Set<string>()
  for (const { id } of runs) for (const other of (await runDependencies(tx, id)).dependents) dependents.add(other)
  return { runs, dependents }
}

/** Runs of a stack that has left Git and that have not begun: nobody wants them any more, and nothing need wait for them. */
export async function withdraw(tx: Tx, stackId: string): Promise<void> {
  const states = ['queued', 'awaiting_approval', 'blocked'] as const
  const { items } = await listRuns(tx, { stackId, kinds: CHANGING_KINDS, states }, { limit: 500 })
  for (const { id } of items) {
    await transitionRun(tx, { runId: id, to: 'superseded', reason: 'stack_removed', actor: SYSTEM })
    await releaseFrom(tx, id)
  }
}

/** Supersedes them; what waited for them waits for the newer run. */
export async function overtake(tx: Tx, overtaken: Overtaken, byRunId: string): Promise<void> {
  for (const { id } of overtaken.runs) {
    await transitionRun(tx, { runId: id, to: 'superseded', reason: 'newer_merge', actor: SYSTEM })
    await moveDependents(tx, id, byRunId)
  }
}
