import type { Updateable } from 'kysely'
import { TrueupError, type ErrorBody } from '../../lib/errors/error.ts'
import { canonicalJson, type Json } from '../../lib/json.ts'
import { canTransition, isFinal, isStateChanging, LEASED_STATES, type RunState } from '../../domain/runs/run.ts'
import { appendAudit, type NewAuditEvent } from '../audit/audit.ts'
import { noteChange, nowOf, type Tx } from '../database/context.ts'
import { refreshReady } from './ready.ts'
import { type Run, type RunPatch, runCodec } from './row.ts'
import type { Database } from '../database/schema.ts'

export interface RunTransition {
  runId: string
  to: RunState
  /** The transition is refused unless the run is in one of these states; any legal one where absent. */
  from?: readonly RunState[]
  /** Fencing token of the worker that asks; refused with LEASE_LOST when it is no longer the run's. */
  fence?: number
  /** Machine reason of the new state, snake_case. The old state's reason, message and error are cleared. */
  reason?: string
  message?: string
  error?: ErrorBody
  patch?: RunPatch
  actor: string
  /** Further facts for the audit event. */
  data?: { [key: string]: Json }
}

const isLeased = (state: RunState): boolean => (LEASED_STATES as readonly RunState[]).includes(state)
const waits = (state: RunState): boolean => !isLeased(state) && !isFinal(state)

/**
 * Moves a run to another state and writes its audit event `run.<to>`, in the caller's transaction. One that somebody wants
 * canceled does not wait again: it is `canceled` instead, so look at the state of what is returned.
 * Errors: NOT_FOUND, RUN_TRANSITION (names the state that the run is in), LEASE_LOST.
 */
export async function transitionRun(tx: Tx, transition: RunTransition): Promise<Run> {
  const { to } = transition
  if (to === 'leased') throw new Error('a run is leased by claimRun only')
  return moveRun(tx, transition, {})
}

/** `transitionRun` with further columns; for this floor's own use (claims and expiry). */
export async function moveRun(tx: Tx, transition: RunTransition, columns: Updateable<Database['runs']>): Promise<Run> {
  const { runId, fence } = transition
  const doing = `moving run ${runId} to "${transition.to}"`
  const run = await tx
    .selectFrom('runs')
    .select(['id', 'stackId', 'state', 'fence', 'kind', 'startedAt', 'cancelRequestedAt', 'cancelReason'])
    .where('id', '=', runId)
    .executeTakeFirst()
  if (run && run.cancelRequestedAt !== null && waits(transition.to)) {
    const { patch: _patch, message: _message, error: _error, ...rest } = transition
    return moveRun(tx, { ...rest, to: 'canceled', reason: run.cancelReason ?? 'canceled' }, columns)
  }
  const { to } = transition
  if (!run) throw new TrueupError('NOT_FOUND', { doing, why: 'there is no run with this id' })
  if (fence !== undefined && (fence !== run.fence || !isLeased(run.state)))
    throw new TrueupError('LEASE_LOST', {
      doing,
      why: `the run is "${run.state}" under token ${run.fence}, and the worker holds token ${fence}`,
      details: { state: run.state, fence: run.fence },
    })
  if (!canTransition(run.state, to) || transition.from?.includes(run.state) === false)
    throw new TrueupError('RUN_TRANSITION', {
      doing,
      why: `the run is "${run.state}", from where it cannot go there`,
      details: { state: run.state, to },
    })
  const now = nowOf(tx)
  const moves = await countMoves(tx, run, to)
  const row = await tx
    .updateTable('runs')
    .set({
      ...patchColumns(transition.patch),
      state: to,
      reason: transition.reason ?? null,
      message: transition.message ?? null,
      errorJson: transition.error ? canonicalJson(transition.error) : null,
      ...(to === 'leased' && { startedAt: run.startedAt ?? now, movesSeen: moves }),
      ...(isFinal(to) && { finishedAt: now }),
      ...(!isLeased(to) && { leaseUntil: null, leaseRequest: null }),
      // Where it ends, the worker stays on the run as a fact of history.
      ...(to === 'queued' && { workerId: null }),
      ready: 0,
      updatedAt: now,
      ...columns,
    })
    .where('id', '=', runId)
    .where('state', '=', run.state)
    .where('fence', '=', run.fence)
    .returningAll()
    .executeTakeFirst()
  // Only where the database lets two transactions overlap: the other one was first.
  if (!row) throw new TrueupError('RUN_TRANSITION', { doing, why: 'the run moved on in the meantime' })
  const ready = await refreshReady(tx, row, run.state)
  await recordTransition(tx, row, run.state, transition)
  return runCodec.fromRow({ ...row, ready })
}

/**
 * Counts a run that begins or ends to change its stack, and gives a run that begins how many there were (null to others). By
 * a count and not by times: a clock that was ahead for a while would have changes "after" every later look.
 */
async function countMoves(
  tx: Tx,
  { stackId, kind, state }: Pick<Database['runs'], 'stackId' | 'kind' | 'state'>,
  to: RunState,
): Promise<number | null> {
  if (isStateChanging(kind) && isLeased(state) !== isLeased(to)) {
    const count = tx.updateTable('stacks').set((stack) => ({ moves: stack('moves', '+', 1) }))
    await count.where('id', '=', stackId).execute()
  }
  if (to !== 'leased') return null
  const stack = await tx.selectFrom('stacks').select('moves').where('id', '=', stackId).executeTakeFirst()
  return stack?.moves ?? 0
}

/** Columns of a patch; a plan brings its digest and summary along. */
export function patchColumns(patch: RunPatch | undefined): Updateable<Database['runs']> {
  if (!patch) return {}
  const columns: Updateable<Database['runs']> = runCodec.toRow(patch)
  if (patch.plan !== undefined) {
    columns.planDigest = patch.plan?.digest ?? null
    columns.planSummaryJson = patch.plan ? canonicalJson(patch.plan.summary) : null
  }
  return columns
}

/** Audit event and change hint of a run that has come into a state; of a quiet one only the end is an event. */
async function recordTransition(
  tx: Tx,
  row: Database['runs'],
  from: RunState | null,
  about: Pick<RunTransition, 'actor' | 'reason' | 'data'>,
): Promise<void> {
  noteRun(tx, row)
  const event = eventOf(row, from, about)
  if (event) await appendAudit(tx, event)
}

/** The change hint of a run that was made or has moved. */
export function noteRun(tx: Tx, { id, repositoryId, stackId, state }: MadeRun): void {
  noteChange(tx, { topic: 'run', id, repositoryId, stackId, ...(state === 'queued' && { work: true }) })
}

type MadeRun = Pick<Database['runs'], 'id' | 'repositoryId' | 'stackId' | 'state'>

/** What the audit hears of a run that has come into a state; null of a quiet one, of which only the end is an event. */
export function eventOf(
  row: MadeRun & Pick<Database['runs'], 'kind' | 'fence' | 'quiet' | 'planDigest' | 'workerId'>,
  from: RunState | null,
  about: Pick<RunTransition, 'actor' | 'reason' | 'data'>,
): NewAuditEvent | null {
  if (row.quiet !== 0 && !isFinal(row.state)) return null
  return {
    actor: about.actor,
    action: `run.${row.state}`,
    subject: row.id,
    repositoryId: row.repositoryId,
    data: {
      ...about.data,
      kind: row.kind,
      stackId: row.stackId,
      fence: row.fence,
      ...(from && { from }),
      ...(about.reason !== undefined && { reason: about.reason }),
      ...(row.planDigest !== null && { planDigest: row.planDigest }),
      ...(row.workerId !== null && { workerId: row.workerId }),
    },
  }
}
