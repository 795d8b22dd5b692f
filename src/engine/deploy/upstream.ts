import { isFinal, PENDING_STATES, type RunState } from '../../domain/runs/run.ts'
import { type StackKey, stackKey } from '../../domain/stacks/stack.ts'
import type { StackDefinition } from '../../domain/stacks/definition.ts'
import type { Queries } from '../../store/database/context.ts'
import { statesOf } from '../../store/runs/under-way.ts'
import { getRun, listRuns, type NewRun, type Run, runDependencies, type RunSummary } from '../../store/runs/runs.ts'
import { findStack, requireStack, type Stack } from '../../store/stacks/stacks.ts'
import type { RunSpec } from '../run-spec.ts'
import { isBehind } from '../stacks/status.ts'
import { isBeyond, waitingFor } from './dependencies.ts'

/** What a run that is about to be ordered has to wait for. */
export interface Upstream {
  /** Every run that has to succeed first. */
  waitFor: string[]
  /** The nearest of them that leads nowhere: it ended badly and nothing puts that right, or it is blocked itself. */
  stuck: { runId: string; stack: StackKey } | null
}

/** What one stack gives to wait for, and where to look further. */
interface Found {
  runs: string[]
  stuck: string | null
  needs: readonly StackKey[]
}

/** Needs never lead out of an environment. */
type Scope = Pick<Stack, 'repositoryId' | 'environment'>

/** What was found already. Stacks in it are not looked at again, so it is for one transaction. */
export type Seen = Map<StackKey, Found>

/** A run that this transaction orders: what it needs in its turn, it waits for itself. */
export const seenRun = (run: Pick<RunSummary, 'id' | 'state'>): Found => ({
  runs: [run.id],
  stuck: run.state === 'blocked' ? run.id : null,
  needs: [],
})

/**
 * What is known of stacks that earlier transactions of a step have ordered runs for: one that waits or is under way still
 * stands for all that its stack needs, and one that has succeeded leaves nothing to wait for. Any other is to be looked at.
 */
export async function seenBefore(
  tx: Queries,
  ordered: ReadonlyMap<StackKey, string>,
  keys: Iterable<StackKey>,
): Promise<Seen> {
  const runs = new Map<StackKey, string>()
  for (const key of keys) {
    const id = ordered.get(key)
    if (id !== undefined) runs.set(key, id)
  }
  const states = await statesOf(tx, [...runs.values()])
  const seen: Seen = new Map()
  for (const [key, id] of runs) {
    const state = states.get(id)
    if (state === 'succeeded') seen.set(key, { runs: [], stuck: null, needs: [] })
    else if (state !== undefined && !isFinal(state)) seen.set(key, seenRun({ id, state }))
  }
  return seen
}

/**
 * What is to be waited for among these stacks and those that they need in their turn, whichever merges deploy them: a
 * stack in between that does not change has no run that would wait.
 */
export async function upstreamOf(
  tx: Queries,
  at: Scope,
  needs: readonly StackKey[],
  seen: Seen = new Map(),
): Promise<Upstream> {
  const upstream: Upstream = { waitFor: [], stuck: null }
  const reached = new Set(needs)
  // Those that are added on the way are visited too.
  for (const key of reached) {
    const found = seen.get(key) ?? (await look(tx, await stackAt(tx, at, key)))
    seen.set(key, found)
    upstream.waitFor.push(...found.runs)
    if (found.stuck !== null && (await leadsNowhere(tx, found.stuck)))
      upstream.stuck ??= { runId: found.stuck, stack: key }
    for (const need of found.needs) reached.add(need)
  }
  return upstream
}

/**
 * What a run waits for that does an ended one again: what its stack needs now, whatever the ended one waited for. A
 * destruction waits for the stacks that used to need what it destroys; they stand with the ended run only.
 */
export async function upstreamOfRetry(tx: Queries, ended: Run, stack: Stack): Promise<Upstream> {
  if (ended.kind !== 'destroy') return await upstreamOf(tx, stack, definitionOf(stack).needs)
  const seen: Seen = new Map()
  for (const id of (await runDependencies(tx, ended.id)).dependsOn) {
    const other = await requireStack(tx, (await getRun(tx, id))!.stackId)
    seen.set(stackKey(other.environment, other.name), { ...(await look(tx, other)), needs: [] })
  }
  return await upstreamOf(tx, stack, [...seen.keys()], seen)
}

/** Members of a run that waits for this, blocked from the start where something leads nowhere. */
export const waitingOn = ({
  waitFor,
  stuck,
}: Upstream): Pick<NewRun, 'dependsOn' | 'state' | 'reason' | 'message'> => ({
  dependsOn: waitFor,
  ...(stuck && { state: 'blocked', reason: 'upstream_failed', message: waitingFor(stuck.stack, stuck.runId) }),
})

const stackAt = (tx: Queries, { repositoryId, environment }: Scope, key: StackKey): Promise<Stack | undefined> =>
  findStack(tx, { repositoryId, environment, name: key.slice(environment.length + 1) })

/** As the default branch says it. */
const definitionOf = (stack: Stack): StackDefinition => (stack.config as unknown as RunSpec).definition

async function look(tx: Queries, stack: Stack | undefined): Promise<Found> {
  if (!stack) return { runs: [], stuck: null, needs: [] }
  const { needs } = definitionOf(stack)
  const of = { stackId: stack.id, kinds: ['deploy', 'destroy'] } as const
  const pending = (await listRuns(tx, { ...of, states: PENDING_STATES }, { limit: 20 })).items
  if (pending.length > 0) {
    const blocked = pending.find((run) => run.state === 'blocked')
    return { runs: pending.map((run) => run.id), stuck: blocked?.id ?? null, needs }
  }
  const bad =
    stack.brokenByRunId !== null || isBehind(stack) ? lastBad((await listRuns(tx, of, { limit: 20 })).items) : undefined
  return { runs: bad ? [bad.id] : [], stuck: bad?.id ?? null, needs }
}

/** The newest run, newest first, that did not get there and that no other one has made good. */
const lastBad = (runs: readonly RunSummary[]): RunSummary | undefined =>
  runs.find(
    (run) => BAD_ENDS.includes(run.state) && !runs.some((other) => other.state === 'succeeded' && isBeyond(other, run)),
  )

const BAD_ENDS: readonly RunState[] = ['failed', 'canceled', 'lost']

/** A blocked one that was seen may have gone on since: the runs of a newer merge let go what waited for older ones. */
async function leadsNowhere(tx: Queries, runId: string): Promise<boolean> {
  const state = (await statesOf(tx, [runId])).get(runId)
  // One that is not there yet is written together with what asks, as it was seen.
  return state === undefined || state === 'blocked' || BAD_ENDS.includes(state)
}
