import { CHANGING_KINDS } from '../../domain/runs/run.ts'
import type { Queries } from '../database/context.ts'

/** A run that is being applied or verified while a newer change of its stack waits for nothing but its end. */
export interface Replaced {
  runId: string
  workerId: string
  repositoryId: string
  stackId: string
  environment: string
  /** The run that follows. */
  byRunId: string
}

const UNDER_WAY = ['applying', 'verifying'] as const
const WAITING = ['queued', 'blocked', 'awaiting_approval'] as const

/**
 * Deployments and heals whose stack has a newer deployment or destruction that could begin if they were over: it is the next
 * in merge order, not canceled, due, and all that it depends on has succeeded. Only of these workers or stacks, where given.
 */
export async function replacedRuns(
  db: Queries,
  only: { workerId?: string; stackIds?: readonly string[]; runId?: string },
  now: number,
): Promise<Replaced[]> {
  let query = db
    .selectFrom('runs as held')
    .innerJoin('stacks', 'stacks.id', 'held.stackId')
    .select(['held.id', 'held.workerId', 'held.stackId', 'held.repositoryId', 'stacks.environment'])
    .where('held.state', 'in', [...UNDER_WAY])
    .where('held.kind', 'in', ['deploy', 'heal'])
    .where((is) =>
      is.exists(
        is
          .selectFrom('runs as next')
          .select('next.id')
          .whereRef('next.stackId', '=', 'held.stackId')
          .where('next.state', '=', 'queued')
          .where('next.kind', 'in', ['deploy', 'destroy']),
      ),
    )
  if (only.workerId !== undefined) query = query.where('held.workerId', '=', only.workerId)
  if (only.runId !== undefined) query = query.where('held.id', '=', only.runId)
  if (only.stackIds) query = query.where('held.stackId', 'in', [...only.stackIds])
  const replaced: Replaced[] = []
  for (const { id: runId, workerId, ...rest } of await query.execute()) {
    const byRunId = await nextChange(db, rest.stackId, now)
    if (byRunId !== null && workerId !== null) replaced.push({ runId, workerId, ...rest, byRunId })
  }
  return replaced
}

/** The change that comes next for a stack, where nothing but the run under way keeps it; see `ready.ts` for the order. */
async function nextChange(db: Queries, stackId: string, now: number): Promise<string | null> {
  const waiting = await db
    .selectFrom('runs')
    .select(['id', 'kind', 'state', 'notBefore', 'cancelRequestedAt', 'mergeSequence', 'createdAt'])
    .where('stackId', '=', stackId)
    .where('state', 'in', [...WAITING])
    .where(
      'kind',
      'in',
      CHANGING_KINDS.filter((kind) => kind !== 'heal'),
    )
    .execute()
  const [next] = waiting.sort(
    (a, b) => (a.mergeSequence ?? 0) - (b.mergeSequence ?? 0) || a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1),
  )
  if (!next || next.state !== 'queued' || next.cancelRequestedAt !== null) return null
  if (next.notBefore !== null && next.notBefore > now) return null
  const unfinished = await db
    .selectFrom('runDependencies')
    .innerJoin('runs', 'runs.id', 'runDependencies.dependsOnRunId')
    .select('runs.id')
    .where('runDependencies.runId', '=', next.id)
    .where('runs.state', '!=', 'succeeded')
    .limit(1)
    .executeTakeFirst()
  return unfinished ? null : next.id
}
