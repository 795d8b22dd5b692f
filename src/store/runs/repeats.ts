import { appendAudit } from '../audit/audit.ts'
import { noteChange, nowOf, type Tx } from '../database/context.ts'
import type { Database } from '../database/schema.ts'
import type { Run } from './row.ts'

const DAY_MS = 86_400_000

/** The columns of a run that its repetitions need. */
export type Repeated = Pick<
  Database['runs'],
  'id' | 'stackId' | 'repositoryId' | 'finishedAt' | 'repeats' | 'repeatedAt' | 'repeatsTold'
>

/** Whether a worker still holds this quiet run under this token, and nobody has asked for it or for its end meanwhile. */
export async function isQuietAndHeld(tx: Tx, { id, fence }: Pick<Run, 'id' | 'fence'>): Promise<boolean> {
  const held = await tx
    .selectFrom('runs')
    .select('id')
    .where('id', '=', id)
    .where('fence', '=', fence)
    .where('state', '=', 'planning')
    .where('quiet', '=', 1)
    .where('cancelRequestedAt', 'is', null)
    .executeTakeFirst()
  return held !== undefined
}

/** Somebody asks for what was ordered quietly: it is a run like any other from now on. */
export async function makeHeard(tx: Tx, runId: string): Promise<void> {
  await tx.updateTable('runs').set({ quiet: 0 }).where('id', '=', runId).execute()
}

/**
 * A run that has ended and said exactly what `earlier` said: it is counted there, and goes with its log. Nothing else of
 * the store refers to it. The audit hears of it once a day, see `tellRepeats`.
 */
export async function countRepeat(tx: Tx, run: Pick<Run, 'id'>, earlier: Repeated): Promise<void> {
  const now = nowOf(tx)
  if (dayOf(now) > dayOf(earlier.repeatedAt ?? earlier.finishedAt ?? now)) await tellRepeats(tx, earlier)
  await tx
    .updateTable('runs')
    .set((row) => ({ repeats: row('repeats', '+', 1), repeatedAt: now }))
    .where('id', '=', earlier.id)
    .execute()
  await tx.deleteFrom('runLogs').where('runId', '=', run.id).execute()
  await tx.deleteFrom('runs').where('id', '=', run.id).execute()
  const { stackId, repositoryId } = earlier
  for (const { id } of [run, earlier]) noteChange(tx, { topic: 'run', id, repositoryId, stackId })
}

/** One event for all repetitions since the last one: how many, and up to when. */
export async function tellRepeats(tx: Tx, run: Repeated): Promise<void> {
  const count = run.repeats - run.repeatsTold
  if (count === 0) return
  await tx.updateTable('runs').set({ repeatsTold: run.repeats }).where('id', '=', run.id).execute()
  await appendAudit(tx, {
    actor: 'system',
    action: 'drift.checked',
    subject: run.stackId,
    repositoryId: run.repositoryId,
    data: { runId: run.id, count, until: run.repeatedAt },
  })
}

const dayOf = (at: number): number => Math.floor(at / DAY_MS)
