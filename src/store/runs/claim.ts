import { LEASED_STATES } from '../../domain/runs/run.ts'
import type { Queries, Tx } from '../database/context.ts'
import { type Run, runCodec } from './row.ts'
import { moveRun } from './transition.ts'
import type { Database } from '../database/schema.ts'

export interface RunClaim {
  workerId: string
  pools: readonly string[]
  /** The worker's own id of this question: a repeat gives the same grant as long as that run is still leased to it. */
  request: string
  leaseMs: number
  now: number
}

/**
 * Leases the next run of these pools to a worker, or gives null. Order: priority, then merge sequence, then age. A run is
 * given when it is queued, its time has come, nobody wants it canceled and nothing goes before it (see `run-ready.ts`).
 */
export async function claimRun(tx: Tx, claim: RunClaim): Promise<Run | null> {
  const repeated = await tx
    .selectFrom('runs')
    .selectAll()
    .where('workerId', '=', claim.workerId)
    .where('leaseRequest', '=', claim.request)
    .where('state', 'in', [...LEASED_STATES])
    .executeTakeFirst()
  if (repeated) return runCodec.fromRow(repeated)
  const next = await nextReady(tx, claim)
  if (!next) return null
  return moveRun(
    tx,
    { runId: next.id, to: 'leased', from: ['queued'], actor: `worker:${claim.workerId}` },
    {
      workerId: claim.workerId,
      leaseRequest: claim.request,
      leaseUntil: claim.now + claim.leaseMs,
      fence: next.fence + 1,
      logBase: next.logSize,
      notBefore: null,
    },
  )
}

type Candidate = Pick<Database['runs'], 'id' | 'fence' | 'logSize' | 'priority' | 'mergeSequence' | 'createdAt'>

/** The best run of each pool comes straight off the queue's index; only those few are compared here. */
async function nextReady(tx: Queries, { pools, now }: RunClaim): Promise<Candidate | undefined> {
  const best: Candidate[] = []
  for (const pool of new Set(pools)) {
    const run = await tx
      .selectFrom('runs')
      .select(['id', 'fence', 'logSize', 'priority', 'mergeSequence', 'createdAt'])
      .where('state', '=', 'queued')
      .where('pool', '=', pool)
      .where('ready', '=', 1)
      .where('cancelRequestedAt', 'is', null)
      .where((is) => is.or([is('notBefore', 'is', null), is('notBefore', '<=', now)]))
      .orderBy('priority', 'desc')
      .orderBy('mergeSequence', (order) => order.asc().nullsFirst())
      .orderBy('createdAt')
      .orderBy('id')
      .limit(1)
      .executeTakeFirst()
    if (run) best.push(run)
  }
  return best.sort(byClaimOrder)[0]
}

function byClaimOrder(a: Candidate, b: Candidate): number {
  return (
    b.priority - a.priority ||
    (a.mergeSequence ?? -1) - (b.mergeSequence ?? -1) ||
    a.createdAt - b.createdAt ||
    (a.id < b.id ? -1 : 1)
  )
}
