import { byReason, uncheckedCount } from '../../domain/plans/coverage.ts'
import type { Unchecked } from '../../domain/plans/plan.ts'
import { CHANGING_KINDS, PENDING_STATES, type RunKind } from '../../domain/runs/run.ts'
import type { Queries } from '../../store/database/context.ts'
import { getMergeRequest } from '../../store/changes/merge-requests.ts'
import { standingDrift } from '../../store/stacks/drift.ts'
import { findQuarantines, type Quarantined } from '../../store/stacks/quarantine.ts'
import { getRun, listRuns, type RunSummary } from '../../store/runs/runs.ts'
import { getStack, patchStack, type Stack, type StackStatus } from '../../store/stacks/stacks.ts'
import { describeFight, healsOf } from './heal-state.ts'
import type { RunSpec } from '../run-spec.ts'

/**
 * Recomputes a stack's status from the facts. To be called in every transaction that changes one of them. The columns
 * desired, deployed and observed stay three; the status is only what a person needs to hear first.
 */
export async function refreshStack(tx: Queries, stackId: string): Promise<void> {
  const stack = await getStack(tx, stackId)
  if (!stack) return
  const pending = await listRuns(tx, { stackId, kinds: CHANGING_KINDS, states: PENDING_STATES }, { limit: 100 })
  const { status, statusReason } = await statusOf(tx, stack, pending.items)
  if (status !== stack.status || statusReason !== stack.statusReason)
    await patchStack(tx, stackId, { status, statusReason })
}

interface Verdict {
  status: StackStatus
  statusReason: string | null
}

/** What of a stack's pending runs, newest first, a person needs to hear before all; null where there is none. */
export function statusOfPending(
  stack: Pick<Stack, 'desiredCommit' | 'deployedCommit'>,
  pending: readonly Pick<RunSummary, 'id' | 'kind' | 'state' | 'message' | 'reason' | 'leaseUntil'>[],
): Verdict | null {
  const active = pending.find((run) => run.leaseUntil !== null)
  if (active) return { status: 'deploying', statusReason: `${active.kind} run ${active.id} is ${active.state}` }
  const waiting = pending.find((run) => run.state === 'awaiting_approval')
  if (waiting) return { status: 'awaiting_approval', statusReason: wordOf(waiting) }
  if (stack.desiredCommit === null && stack.deployedCommit !== null) {
    const statusReason = 'the stack is no longer in Git; nothing is destroyed until someone decides'
    return { status: 'orphaned', statusReason }
  }
  const blocked = pending.find((run) => run.state === 'blocked')
  if (blocked) return { status: 'blocked', statusReason: blocked.message ?? blocked.reason }
  const [queued] = pending
  return queued ? { status: 'pending', statusReason: queued.message ?? `${queued.kind} run is queued` } : null
}

async function statusOf(tx: Queries, stack: Stack, pending: readonly RunSummary[]): Promise<Verdict> {
  const underWay = statusOfPending(stack, pending)
  if (underWay) return underWay
  if (stack.brokenByRunId !== null) {
    const breaker = await getRun(tx, stack.brokenByRunId)
    const why = breaker?.message ?? breaker?.reason ?? 'it ended badly'
    return {
      status: 'failed',
      statusReason: `run ${stack.brokenByRunId} ended badly after it had begun to apply: ${why}`,
    }
  }
  return await withQuarantine(tx, stack, (await badEnd(tx, stack)) ?? (await driftOf(tx, stack)) ?? atRest(stack))
}

/** The newest change or check that went wrong, while it still is the newest word. */
async function badEnd(tx: Queries, stack: Stack): Promise<Verdict | null> {
  const newest = async (kinds: readonly RunKind[]): Promise<RunSummary | undefined> =>
    (await listRuns(tx, { stackId: stack.id, kinds }, { limit: 1 })).items[0]
  const bad = (run: RunSummary): boolean => run.state === 'failed' || run.state === 'lost'
  const isEnacting = (run: RunSummary | undefined): boolean => run?.kind === 'deploy' || run?.kind === 'destroy'
  const last = await newest(['deploy', 'destroy', 'heal', 'drift'])
  // Asked for at each step of each run: of a stack that is where Git says no second question is.
  const enacted = !isBehind(stack) ? undefined : isEnacting(last) ? last : await newest(['deploy', 'destroy'])
  // One that was refused for a quarantine has failed at nothing: the quarantine says so while it stands.
  if (enacted && bad(enacted) && enacted.reason !== 'quarantined')
    return { status: 'failed', statusReason: wordOf(enacted) }
  if (!last || !bad(last) || isEnacting(last)) return null
  const status = last.error?.code === 'TARGET_UNREACHABLE' ? 'unreachable' : last.kind === 'heal' ? 'failed' : 'unknown'
  return { status, statusReason: wordOf(last) }
}

/** With the run, because people go on from there: its log, its plan, its approval. */
const wordOf = (run: Pick<RunSummary, 'id' | 'message' | 'reason' | 'state'>): string =>
  `run ${run.id}: ${run.message ?? run.reason ?? run.state}`

async function driftOf(tx: Queries, stack: Stack): Promise<Verdict | null> {
  const drift = (await standingDrift(tx, stack.id)).filter((record) => record.state === 'open')
  const [first, ...others] = drift
  if (!first) return null
  const { fight } = healsOf(stack)
  const what = first.attribute ? `${first.address}: ${first.attribute}` : first.address
  const more = others.length > 0 ? ` and ${others.length} more` : ''
  return { status: 'drifted', statusReason: fight ? describeFight(fight) : `${what}${more}` }
}

function atRest(stack: Stack): Verdict {
  if (stack.deployedDigest === null) return { status: 'new', statusReason: 'never deployed' }
  if (isBehind(stack)) return { status: 'pending', statusReason: 'Git has moved on and nothing is queued to enact it' }
  return silentPart(stack) ?? unseenPart(stack) ?? { status: 'in_sync', statusReason: null }
}

/** The quarantine of the state that a stack is to have, or has where Git no longer has it. */
export async function quarantineOnEach(db: Queries, stacks: readonly Stack[]): Promise<Map<string, Quarantined>> {
  const digests = new Map<string, string>()
  for (const stack of stacks) {
    const digest = stack.desiredDigest ?? (stack.deployedConfig as unknown as RunSpec | null)?.sourceDigest
    if (digest !== undefined) digests.set(stack.id, digest)
  }
  return await findQuarantines(db, digests)
}

/** What is worse than a quarantine, or is so beside it: people have to hear of that first. */
const BESIDE_QUARANTINE: readonly StackStatus[] = ['failed', 'drifted', 'unreachable']

/** Nothing deploys or heals a state in quarantine, however well it looks: that is said. */
async function withQuarantine(tx: Queries, stack: Stack, verdict: Verdict): Promise<Verdict> {
  const entry = (await quarantineOnEach(tx, [stack])).get(stack.id)
  if (!entry) return verdict
  const mr = entry.mrId === null ? undefined : await getMergeRequest(tx, entry.mrId)
  const by = mr ? ` by !${mr.number}` : ''
  const why = `its state is in quarantine${by} (${entry.reason}): nothing deploys or heals it`
  if (BESIDE_QUARANTINE.includes(verdict.status)) return { ...verdict, statusReason: `${verdict.statusReason}; ${why}` }
  return {
    status: 'quarantined',
    statusReason: verdict.statusReason === null ? why : `${why}; ${verdict.statusReason}`,
  }
}

/** A part of the target that the last check could not reach; a deployment has reached all of it. */
function silentPart({ observedCoverage }: Stack): Verdict | null {
  const silent = observedCoverage?.unchecked.filter(({ unreachable }) => unreachable) ?? []
  const [first, ...others] = silent
  if (!first) return null
  const more = others.length > 0 ? ` and ${others.length} more` : ''
  return { status: 'unreachable', statusReason: `${first.address}${more} did not answer: ${first.why}` }
}

/** What the last look did not see: nothing differs as far as anybody knows, which is not all of it. */
function unseenPart({ observedCoverage, observedChecked, observedUnchecked }: Stack): Verdict | null {
  const status = 'partly_checked'
  if (observedCoverage === null) return { status: 'unknown', statusReason: 'it was not looked at yet' }
  const [first, ...others] = byReason(observedCoverage.unchecked)
  if (!first) return null
  const unchecked = observedUnchecked ?? uncheckedCount(observedCoverage)
  const [{ address }] = first.entries as [Unchecked]
  const what = `${address === '*' ? '' : `${address}: `}${first.why}`
  const more = others.length > 0 ? `; and ${others.length} more ${others.length === 1 ? 'reason' : 'reasons'}` : ''
  const all = unchecked + (observedChecked ?? observedCoverage.checked)
  return { status, statusReason: `${unchecked} of ${all} not checked (${what}${more})` }
}

/** Whether what is deployed is not what Git says. */
export function isBehind(stack: Stack): boolean {
  const deployed = stack.deployedConfig as unknown as RunSpec | null
  return stack.desiredDigest !== (deployed?.sourceDigest ?? null)
}
