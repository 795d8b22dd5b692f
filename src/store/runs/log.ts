import { TrueupError } from '../../lib/errors/error.ts'
import { RUN_LOG_LIMIT } from '../../domain/wire/worker-protocol.ts'
import { noteChange, nowOf, type Queries } from '../database/context.ts'

const MARKER = `\n[trueup] log limit of ${RUN_LOG_LIMIT / 1024 / 1024} MiB reached: what follows was not kept\n`

/** Text of a log, as a worker sends it. */
export interface LogPiece {
  /** Characters (UTF-16 units) of the log of this lease before it. */
  offset: number
  text: string
  /** From which of its characters on it was written when; all of it now where absent. */
  times?: readonly (readonly [after: number, at: number])[] | undefined
}

/**
 * Adds text to a run's log and returns the offset that is wanted next. Text that is there already is dropped, an overlap is
 * trimmed; after a gap nothing is written and the answer says from where to send again. Errors: NOT_FOUND, LEASE_LOST.
 */
export async function appendRunLog(
  tx: Queries,
  { runId, fence, workerId }: { runId: string; fence: number; workerId?: string },
  { offset, text, times = [] }: LogPiece,
): Promise<number> {
  const doing = `adding to the log of run ${runId}`
  const run = await tx
    .selectFrom('runs')
    .select(['fence', 'logBase', 'logSize', 'repositoryId', 'stackId', 'workerId', 'createdAt'])
    .where('id', '=', runId)
    .executeTakeFirst()
  if (!run) throw new TrueupError('NOT_FOUND', { doing, why: 'there is no run with this id' })
  if (run.fence !== fence)
    throw new TrueupError('LEASE_LOST', {
      doing,
      why: `the run is under token ${run.fence}, the worker holds ${fence}`,
    })
  if (workerId !== undefined && run.workerId !== workerId)
    throw new TrueupError('LEASE_LOST', { doing, why: 'the run is not with this worker' })
  const wanted = run.logSize - run.logBase
  if (offset > wanted) return wanted
  const fresh = text.slice(wanted - offset)
  if (fresh === '') return wanted
  await tx
    .updateTable('runs')
    .set({ logSize: run.logSize + fresh.length })
    .where('id', '=', runId)
    .execute()
  const now = nowOf(tx)
  const room = RUN_LOG_LIMIT - run.logSize
  // PostgreSQL stores no NUL in text; a character of the same length stands for it.
  const kept = fresh.slice(0, Math.max(room, 0)).replaceAll('\0', '\uFFFD')
  // A worker's clock may be wrong by minutes: no line is older than its run, or from the future.
  const within = (at: number): number => Math.min(now, Math.max(run.createdAt, at))
  const rows = byTime(
    kept,
    times.map(([after, at]) => [after - (wanted - offset), within(at)]),
    now,
  ).map((row) => ({
    ...row,
    offset: run.logSize + row.offset,
  }))
  if (room >= 0 && fresh.length > room) rows.push({ offset: RUN_LOG_LIMIT, text: MARKER, at: now })
  for (const row of rows)
    await tx
      .insertInto('runLogs')
      .values({ runId, ...row })
      .execute()
  if (rows.length > 0) noteChange(tx, { topic: 'log', id: runId, repositoryId: run.repositoryId, stackId: run.stackId })
  return wanted + fresh.length
}

/** The text cut where its time changes; what stands before the first time has that one. */
function byTime(
  text: string,
  times: readonly (readonly [after: number, at: number])[],
  now: number,
): { offset: number; text: string; at: number }[] {
  if (text === '') return []
  const cuts: { offset: number; at: number }[] = []
  for (const [after, at] of times.toSorted(([a], [b]) => a - b)) {
    if (after >= text.length) break
    if (after <= 0) cuts.splice(0, 1, { offset: 0, at })
    // Half of a pair of surrogates is no text that could be stored.
    else if (!/[\uD800-\uDBFF]/.test(text[after - 1]!)) cuts.push({ offset: after, at })
  }
  const first = cuts[0]
  if (first?.offset !== 0) cuts.unshift({ offset: 0, at: first?.at ?? now })
  return cuts
    .map(({ offset, at }, index) => ({ offset, at, text: text.slice(offset, cuts[index + 1]?.offset) }))
    .filter((row) => row.text !== '')
}

export interface RunLogPart {
  text: string
  /** From which offset on it was written when, the first at or before the text's own. */
  times: { offset: number; at: number }[]
  /** Offset of the character after `text`: where to read on. */
  next: number
  /** Characters that are kept so far. */
  size: number
  /** The limit was reached; the last line says so. */
  truncated: boolean
}

/** Text of a run's whole log (all leases) from `offset`, at most `limit` characters. NOT_FOUND where there is no run. */
export async function readRunLog(db: Queries, runId: string, offset = 0, limit = 64 * 1024): Promise<RunLogPart> {
  const run = await db.selectFrom('runs').select('logSize').where('id', '=', runId).executeTakeFirst()
  if (!run)
    throw new TrueupError('NOT_FOUND', {
      doing: `reading the log of run ${runId}`,
      why: 'there is no run with this id',
    })
  const truncated = run.logSize > RUN_LOG_LIMIT
  const size = truncated ? RUN_LOG_LIMIT + MARKER.length : run.logSize
  const start = Math.max(offset, 0)
  const first = await db
    .selectFrom('runLogs')
    .select((row) => row.fn.max('offset').as('offset'))
    .where('runId', '=', runId)
    .where('offset', '<=', start)
    .executeTakeFirst()
  const rows = await db
    .selectFrom('runLogs')
    .select(['offset', 'text', 'at'])
    .where('runId', '=', runId)
    .where('offset', '>=', Number(first?.offset ?? 0))
    .where('offset', '<', start + limit)
    .orderBy('offset')
    .execute()
  const base = rows[0]?.offset ?? start
  const text = rows
    .map((row) => row.text)
    .join('')
    .slice(start - base, start - base + limit)
  const times = text === '' ? [] : rows.map((row) => ({ offset: Math.max(row.offset, start), at: row.at }))
  return { text, times, next: start + text.length, size, truncated }
}
