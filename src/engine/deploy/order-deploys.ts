import type { Cause } from '../../domain/plans/plan.ts'
import { facetsOf } from '../../domain/facets.ts'
import type { StackKey } from '../../domain/stacks/stack.ts'
import { newId } from '../../lib/ids.ts'
import type { Queries, Tx } from '../../store/database/context.ts'
import { nowOf } from '../../store/open.ts'
import { createRuns, type NewRun, type RunSummary } from '../../store/runs/runs.ts'
import { changesUnderWay, dependentsOf, deploysOfMerge } from '../../store/runs/under-way.ts'
import { findStacks, putStacks, type StackFacts } from '../../store/stacks/many.ts'
import { SYSTEM } from '../parts.ts'
import { specOf, specToJson } from '../run-spec.ts'
import { refreshStack, statusOfPending } from '../stacks/status.ts'
import { overtake, type Overtaken, overtakable } from './overtake.ts'
import { type Approval, approvalsOf, type Step, unsignedBy } from './step.ts'
import { type Seen, seenBefore, seenRun, upstreamOf, waitingOn } from './upstream.ts'
import { workersFor } from '../workers-for.ts'

/** A stack that is to be deployed, and why. */
export interface Wanted {
  key: StackKey
  cause: Cause
}

/** What is known of a stack before its run is ordered. */
interface Known {
  /** Null where it is new. */
  stack: StackFacts | null
  /** Changes of it that are under way, newest first. */
  pending: readonly RunSummary[]
  overtaken: Overtaken
}

/**
 * Orders deployments of these stacks, each of which comes after what it needs. `ordered` has the runs of the step so far, by
 * stack, and gets these. They are written together, since there may be thousands: only where a run makes others go on that
 * waited for an overtaken one is it written before the next stack is looked at.
 */
export async function orderDeploys(
  tx: Tx,
  step: Step,
  wanted: readonly Wanted[],
  ordered: Map<StackKey, string>,
): Promise<void> {
  const approvals = await approvalsOf(
    tx,
    step,
    wanted.map(({ key }) => key),
  )
  const needs = wanted.flatMap(({ key }) => step.after.stacks.get(key)!.definition.needs)
  const seen = await seenBefore(tx, ordered, needs)
  for (let rest = await stillToOrder(tx, step, wanted, ordered); rest.length > 0; ) {
    const known = await knownOf(tx, step, rest)
    const lone = rest.findIndex(({ key }) => known.get(key)!.overtaken.dependents.size > 0)
    const group = lone === -1 ? rest : rest.slice(0, Math.max(lone, 1))
    await orderTogether(tx, step, group, { known, seen, approvals, ordered })
    rest = rest.slice(group.length)
  }
}

/** Without those that a killed process has ordered already. */
async function stillToOrder(
  tx: Queries,
  step: Step,
  wanted: readonly Wanted[],
  ordered: Map<StackKey, string>,
): Promise<readonly Wanted[]> {
  if (!step.resumed) return wanted
  const stacks = await findStacks(tx, step.repositoryId, identitiesOf(step, wanted))
  const runs = await deploysOfMerge(
    tx,
    step,
    [...stacks.values()].map(({ id }) => id),
  )
  for (const [key, { id }] of stacks) {
    const run = runs.get(id)
    if (run) ordered.set(key, run.id)
  }
  return wanted.filter(({ key }) => !ordered.has(key))
}

const identitiesOf = ({ after }: Step, wanted: readonly Wanted[]) =>
  wanted.map(({ key }) => after.stacks.get(key)!.definition)

async function knownOf(tx: Queries, step: Step, wanted: readonly Wanted[]): Promise<Map<StackKey, Known>> {
  const stacks = await findStacks(tx, step.repositoryId, identitiesOf(step, wanted))
  const pending = await changesUnderWay(
    tx,
    [...stacks.values()].map(({ id }) => id),
  )
  const overtaken = new Map([...pending].map(([id, runs]) => [id, overtakable(runs)]))
  const dependents = await dependentsOf(
    tx,
    [...overtaken.values()].flatMap((runs) => runs.map(({ id }) => id)),
  )
  return new Map(
    wanted.map(({ key }) => {
      const stack = stacks.get(key) ?? null
      const runs = (stack && overtaken.get(stack.id)) ?? []
      const waiting = new Set(runs.flatMap(({ id }) => dependents.get(id) ?? []))
      return [key, { stack, pending: (stack && pending.get(stack.id)) ?? [], overtaken: { runs, dependents: waiting } }]
    }),
  )
}

async function orderTogether(
  tx: Tx,
  step: Step,
  group: readonly Wanted[],
  {
    known,
    seen,
    approvals,
    ordered,
  }: {
    known: ReadonlyMap<StackKey, Known>
    seen: Seen
    approvals: ReadonlyMap<StackKey, Approval>
    ordered: Map<StackKey, string>
  },
): Promise<void> {
  const { repositoryId, commitOid, mergeSequence, mr, after } = step
  const now = nowOf(tx)
  const stacks: Parameters<typeof putStacks>[1][number][] = []
  const runs: (NewRun & { id: string })[] = []
  for (const { key, cause } of group) {
    const source = after.stacks.get(key)!
    const { definition, sourceDigest } = source
    const { stack, pending } = known.get(key)!
    const stackId = stack?.id ?? newId('stack', now)
    const upstream = await upstreamOf(tx, { repositoryId, environment: definition.environment }, definition.needs, seen)
    const run: (typeof runs)[number] = {
      id: newId('run', now),
      stackId,
      repositoryId,
      kind: 'deploy',
      commitOid,
      desiredDigest: sourceDigest,
      spec: specToJson(
        specOf(source, {
          cause,
          ...(step.unapproved.has(definition.environment) && { pastGate: true }),
          ...unsignedBy(step, definition.environment),
        }),
      ),
      mergeSequence,
      ...workersFor(definition),
      actor: SYSTEM,
      ...waitingOn(upstream),
      ...(mr && { mrId: mr.id }),
      ...approvals.get(key),
    }
    const { id, state = 'queued', message = null, reason = null } = run
    const fresh = { id, kind: 'deploy', state, message, reason, leaseUntil: null } as const
    const { environment, name, path, driver } = definition
    stacks.push({
      id: stackId,
      repositoryId,
      environment,
      name,
      path,
      driver,
      config: specToJson(specOf(source)),
      facets: facetsOf(definition, after.owners),
      desiredCommit: commitOid,
      desiredDigest: sourceDigest,
      removedAt: null,
      ...statusOfPending({ desiredCommit: commitOid, deployedCommit: stack?.deployedCommit ?? null }, [
        fresh,
        ...pending,
      ])!,
    })
    runs.push(run)
    seen.set(key, seenRun({ id, state }))
    ordered.set(key, id)
  }
  await putStacks(tx, stacks)
  await createRuns(tx, runs)
  for (const [at, { key }] of group.entries()) {
    const { overtaken } = known.get(key)!
    if (overtaken.runs.length === 0) continue
    await overtake(tx, overtaken, runs[at]!.id)
    await refreshStack(tx, runs[at]!.stackId)
  }
}
