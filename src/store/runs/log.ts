import { TrueupError } from '../../lib/errors/error.ts'
import { RUN_LOG_LIMIT } from '../../domain/wire/worker-protocol.ts'
import { noteChange, nowOf, type Queries } from '../database/context.ts'

const MARKER = `\n[trueup] log limit of ${RUN_LOG_LIMIT / 1024 / 1024} MiB reached: what follows was not kept\n`

/**
 * Adds text to a run's log and returns the offset that is wanted next. `offset` counts the characters (UTF-16 units) of
 * the log of this lease, from 0. Text that is there already is dropped, an overlap is trimmed; after a gap nothing is
 * written and the answer says from where to send again. Errors: NOT_FOUND, LEASE_LOST.
 */
export async function appendRunLog(
  tx: Queries,
  runId: string,
  fence: number,
  offset: number,
  text: string,
  workerId?: string,
): Promise<number> {
  const doing = `adding to the log of run ${runId}`
  const run = await tx
    .selectFrom('runs')
    .select(['fence', 'logBase', 'logSize', 'repositoryId', 'stackId', 'workerId'])
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
  const room = RUN_LOG_LIMIT - run.logSize
  const rows: { offset: number; text: string }[] = []
  // PostgreSQL stores no NUL in text; a character of the same length stands for it.
  if (room > 0) rows.push({ offset: run.logSize, text: fresh.slice(0, room).replaceAll('\0', '\uFFFD') })
  if (room >= 0 && fresh.length > room) rows.push({ offset: RUN_LOG_LIMIT, text: MARKER })
  const at = nowOf(tx)
  for (const row of rows)
    await tx
      .insertInto('runLogs')
      .values({ runId, at, ...row })
      .execute()
  if (rows.length > 0) noteChange(tx, { topic: 'log', id: runId, repositoryId: run.repositoryId, stackId: run.stackId })
  return wanted + fresh.length
}

export interface RunLogPart {
  text: string
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
    .select(['offset', 'text'])
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
  return { text, next: start + text.length, size, truncated }
}
