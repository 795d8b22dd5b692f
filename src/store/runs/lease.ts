import { LEASED_STATES, type RunState } from '../../domain/runs/run.ts'
import type { Queries, Tx } from '../database/context.ts'
import { nowOf } from '../database/context.ts'
import { inList } from '../database/in-list.ts'
import type { Run } from './row.ts'
import { moveRun } from './transition.ts'

/** A run as a worker holds it. */
export interface HeldRun {
  runId: string
  fence: number
}

/** What a worker must hear: runs that are no longer its own (stop at once), and runs to cancel. */
export interface LeaseNews {
  lost: string[]
  cancel: string[]
}

/** States of a run that somebody holds in which nothing is changed yet. */
export const UNCHANGED_STATES = ['leased', 'preparing', 'planning'] as const satisfies RunState[]

/** A run is given up after this many leases that ended without a word. */
export const MAX_ATTEMPTS = 5

/** Lengthens the leases of a worker by `leaseMs` from now. A lease that has run out but was not yet taken away lives on. */
export async function renewLeases(
  tx: Queries,
  workerId: string,
  held: readonly HeldRun[],
  leaseMs: number,
): Promise<LeaseNews> {
  const news: LeaseNews = { lost: [], cancel: [] }
  const leaseUntil = nowOf(tx) + leaseMs
  for (const { runId, fence } of held) {
    const run = await tx
      .updateTable('runs')
      .set({ leaseUntil })
      .where('id', '=', runId)
      .where('fence', '=', fence)
      .where('workerId', '=', workerId)
      .where('state', 'in', [...LEASED_STATES])
      .returning('cancelRequestedAt')
      .executeTakeFirst()
    if (!run) news.lost.push(runId)
    else if (run.cancelRequestedAt !== null) news.cancel.push(runId)
  }
  return news
}

/** Of what these workers hold, that with which nothing was begun to be changed. */
export async function heldUnchanged(
  tx: Queries,
  workerIds: readonly string[],
): Promise<{ id: string; workerId: string; fence: number; stackId: string }[]> {
  const rows = await tx
    .selectFrom('runs')
    .select(['id', 'workerId', 'fence', 'stackId'])
    .where('workerId', 'in', inList(workerIds))
    .where('leaseUntil', 'is not', null)
    .where('state', 'in', [...UNCHANGED_STATES])
    .orderBy('id', 'desc')
    .execute()
  return rows.map(({ workerId, ...row }) => ({ ...row, workerId: workerId! }))
}

/** Ids of the workers that hold a lease. */
export async function leaseHolders(db: Queries): Promise<string[]> {
  const rows = await db.selectFrom('runs').select('workerId').distinct().where('leaseUntil', 'is not', null).execute()
  return rows.flatMap(({ workerId }) => workerId ?? [])
}

/** After the clock was set back: a lease that ends later than any that could be given now ends at `latest`. */
export async function capLeases(tx: Queries, latest: number): Promise<void> {
  await tx
    .updateTable('runs')
    .set({ leaseUntil: latest })
    .where('leaseUntil', '>', latest)
    .where('state', 'in', [...LEASED_STATES])
    .execute()
}

/** A run that was taken from its worker, in its new state. */
export interface ExpiredRun {
  run: Run
  from: RunState
  /** Who held it. */
  workerId: string | null
}

/**
 * Takes back every run whose lease ended before `now`. Where nothing was changed yet it is queued again (reason
 * `lease_expired`), canceled when someone had asked for that, failed (`too_many_attempts`) the fifth time. Where the
 * world may be changing it is `lost`: what follows is the engine's decision.
 */
export async function expireLeases(tx: Tx, now: number): Promise<ExpiredRun[]> {
  const rows = await tx
    .selectFrom('runs')
    .select(['id', 'state', 'attempt', 'workerId', 'cancelRequestedAt', 'cancelReason'])
    .where('leaseUntil', '<', now)
    .where('state', 'in', [...LEASED_STATES])
    .orderBy('leaseUntil')
    .execute()
  const expired: ExpiredRun[] = []
  for (const row of rows) {
    const exit = exitOf(row)
    const run = await moveRun(
      tx,
      { runId: row.id, from: [row.state], actor: 'system', data: { attempt: row.attempt }, ...exit },
      exit.to === 'queued' ? { attempt: row.attempt + 1 } : {},
    )
    expired.push({ run, from: row.state, workerId: row.workerId })
  }
  return expired
}

function exitOf(row: {
  state: RunState
  attempt: number
  workerId: string | null
  cancelRequestedAt: number | null
  cancelReason: string | null
}): { to: RunState; reason: string; message: string } {
  const silent = `worker ${row.workerId ?? ''} was not heard of until the lease ended`
  if (row.state === 'applying' || row.state === 'verifying')
    return { to: 'lost', reason: 'lease_expired', message: `${silent}, while it was ${row.state}` }
  if (row.cancelRequestedAt !== null) return { to: 'canceled', reason: row.cancelReason ?? 'canceled', message: silent }
  if (row.attempt >= MAX_ATTEMPTS)
    return { to: 'failed', reason: 'too_many_attempts', message: `${silent}, ${row.attempt} times` }
  return { to: 'queued', reason: 'lease_expired', message: silent }
}
