import { LEASED_STATES } from '../../domain/runs/run.ts'
import type { Queries, Tx } from '../database/context.ts'
import { type Run, runCodec } from './row.ts'
import type { Scope } from '../workers/workers.ts'
import { moveRun } from './transition.ts'
import type { Database } from '../database/schema.ts'

export interface RunClaim {
  workerId: string
  pools: readonly string[]
  /** What the worker is enrolled for; everything of its pools where absent. */
  scope?: Scope
  /** Names of the programs that the worker has; runs are given whatever they need where absent. */
  programs?: readonly string[]
  /** The worker's own id of this question: a repeat gives the same grant as long as that run is still leased to it. */
  request: string
  leaseMs: number
  now: number
}

/**
 * Leases the next run of these pools to a worker, or gives null. Order: priority, then whose turn it is (people for
 * previews, repositories for everything else), then merge sequence, then age. A run is
 * given when it is queued, its time has come, nobody wants it canceled and nothing goes before it (see `run-ready.ts`).
 */
export async function claimRun(tx: Tx, claim: RunClaim): Promise<Run | null> {
  const repeated = await tx
    .selectFrom('runs')
    .selectAll()
    .where('workerId', '=', claim.workerId)
    .where('leaseRequest', '=', claim.request)
    .where('leaseUntil', 'is not', null)
    .where('state', 'in', [...LEASED_STATES])
    .executeTakeFirst()
  if (repeated) return runCodec.fromRow(repeated)
  const next = await nextReady(tx, claim)
  if (!next) return null
  const { pool, priority, share } = next
  await tx
    .insertInto('queueTurns')
    .values({ pool, priority, share })
    .onConflict((conflict) => conflict.columns(['pool', 'priority']).doUpdateSet({ share }))
    .execute()
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

/** What of a claim decides which runs it may have. */
type Claiming = Pick<RunClaim, 'scope' | 'programs' | 'now'>

type Candidate = Pick<
  Database['runs'],
  'id' | 'fence' | 'logSize' | 'pool' | 'priority' | 'share' | 'repositoryId' | 'mergeSequence' | 'createdAt'
>
const CANDIDATE = [
  'id',
  'fence',
  'logSize',
  'pool',
  'priority',
  'share',
  'repositoryId',
  'mergeSequence',
  'createdAt',
] as const satisfies (keyof Candidate)[]

/** How many others are looked at for one that holds fewer slots. */
const SHARES_LOOKED_AT = 32

/** The run that would be granted next from a pool if anyone with these programs had a slot for it. */
export async function nextInLine(
  tx: Queries,
  pool: string,
  claim: Pick<RunClaim, 'programs' | 'now'>,
): Promise<Run | null> {
  const top = await readyRuns(tx, claim, pool).orderBy('priority', 'desc').limit(1).executeTakeFirst()
  const next = top && (await inTurn(tx, claim, pool, top.priority))
  if (!next) return null
  return runCodec.fromRow(await tx.selectFrom('runs').selectAll().where('id', '=', next.id).executeTakeFirstOrThrow())
}

/** The best of each pool comes straight off the queue's index; only those few are compared here. */
async function nextReady(tx: Queries, claim: RunClaim): Promise<Candidate | undefined> {
  const best: Candidate[] = []
  for (const pool of new Set(claim.pools)) {
    const top = await readyRuns(tx, claim, pool).orderBy('priority', 'desc').limit(1).executeTakeFirst()
    const run = top && (await inTurn(tx, claim, pool, top.priority))
    if (run) best.push(run)
  }
  return best.sort(byClaimOrder)[0]
}

/**
 * Within one priority people and repositories take turns: whose share was not served longest, as far as they follow each
 * other in the order of their ids; one that holds slots already lets those with fewer go first.
 */
async function inTurn(tx: Queries, claim: Claiming, pool: string, priority: number): Promise<Candidate | undefined> {
  const held = await slotsHeld(tx, pool, priority)
  const turn = await tx
    .selectFrom('queueTurns')
    .select('share')
    .where('pool', '=', pool)
    .where('priority', '=', priority)
    .executeTakeFirst()
  let best: Candidate | undefined
  let [after, wrapped] = [turn?.share ?? '', false]
  for (let looked = 0; looked < SHARES_LOOKED_AT; looked++) {
    let query = readyRuns(tx, claim, pool).where('priority', '=', priority).where('share', '>', after)
    if (wrapped && turn) query = query.where('share', '<=', turn.share)
    const head = await query
      .orderBy('share')
      .orderBy('mergeSequence', (order) => order.asc().nullsFirst())
      .orderBy('createdAt')
      .orderBy('id')
      .limit(1)
      .executeTakeFirst()
    if (!head) {
      if (wrapped || after === '') break
      ;[after, wrapped] = ['', true]
      continue
    }
    if (!best || held(head) < held(best)) best = head
    if (held(best) === 0) break
    after = head.share
  }
  return best
}

/** How many slots the share of a run holds, and in second place its repository. */
async function slotsHeld(tx: Queries, pool: string, priority: number): Promise<(run: Candidate) => number> {
  const rows = await tx
    .selectFrom('runs')
    .select(['share', 'repositoryId'])
    .where('state', 'in', [...LEASED_STATES])
    .where('pool', '=', pool)
    .where('priority', '=', priority)
    .execute()
  const count = (matches: (row: (typeof rows)[number]) => boolean): number => rows.filter(matches).length
  return (run) =>
    count(({ share }) => share === run.share) +
    count(({ repositoryId }) => repositoryId === run.repositoryId) / (rows.length + 1)
}

function readyRuns(tx: Queries, { scope, programs, now }: Claiming, pool: string) {
  let query = tx
    .selectFrom('runs')
    .select(CANDIDATE)
    .where('state', '=', 'queued')
    .where('pool', '=', pool)
    .where('ready', '=', 1)
    .where('cancelRequestedAt', 'is', null)
    .where((is) => is.or([is('notBefore', 'is', null), is('notBefore', '<=', now)]))
  if (programs)
    query = query.where((is) =>
      is.or([
        is('programsJson', 'is', null),
        ...programs.map((name) => is('programsJson', 'like', `%${JSON.stringify(name)}%`)),
      ]),
    )
  if (scope && scope.repositories.length > 0) query = query.where('repositoryId', 'in', scope.repositories)
  if (scope && scope.environments.length > 0)
    query = query.where((is) =>
      is.exists(
        is
          .selectFrom('stacks')
          .select('stacks.id')
          .whereRef('stacks.id', '=', 'runs.stackId')
          .where('stacks.environment', 'in', scope.environments),
      ),
    )
  return query
}

function byClaimOrder(a: Candidate, b: Candidate): number {
  return (
    b.priority - a.priority ||
    (a.mergeSequence ?? -1) - (b.mergeSequence ?? -1) ||
    a.createdAt - b.createdAt ||
    (a.id < b.id ? -1 : 1)
  )
}
