import type { ExpressionBuilder } from 'kysely'
import { newId } from '../../lib/ids.ts'
import { canonicalJson, type JsonObject } from '../../lib/json.ts'
import { type FromRow, makeCodec } from '../database/codec.ts'
import { noteChange, nowOf, type Queries } from '../database/context.ts'
import type { Database } from '../database/schema.ts'

/** Follow-up work. `attempt` counts from 1 while it is handled for the first time. */
export type Task = FromRow<Database['tasks'], { payload: JsonObject }>

export interface NewTask {
  kind: string
  /** Pending tasks of one kind with one key are one task. */
  key: string
  payload?: JsonObject
  /** Not before this time; at once where absent. */
  runAt?: number
}

const codec = makeCodec<Database['tasks'], Task>({ json: ['payload'] })

/**
 * Writes follow-up work in the transaction that causes it. A pending task of the same kind and key is merged with it:
 * earliest time, newest payload. One that is being handled is left alone, since it may have read the state already: a
 * new pending one stands behind it.
 */
export async function enqueueTask(tx: Queries, task: NewTask): Promise<void> {
  const now = nowOf(tx)
  const runAt = task.runAt ?? now
  await tx
    .insertInto('tasks')
    .values({
      id: newId('task', now),
      kind: task.kind,
      dedupeKey: task.key,
      payloadJson: canonicalJson(task.payload ?? {}),
      runAt,
      attempt: 0,
      takenAt: null,
      takenBy: null,
      lastError: null,
      createdAt: now,
    })
    .onConflict((conflict) =>
      conflict
        .columns(['kind', 'dedupeKey'])
        .where('takenAt', 'is', null)
        .doUpdateSet((row) => ({
          payloadJson: row.ref('excluded.payloadJson'),
          runAt: row
            .case()
            .when('excluded.runAt', '<', row.ref('tasks.runAt'))
            .then(row.ref('excluded.runAt'))
            .else(row.ref('tasks.runAt'))
            .end(),
        })),
    )
    .execute()
  noteChange(tx, { topic: 'task', id: `${task.kind}:${task.key}` })
}

/**
 * Takes the task that is due longest for the server `by`, or gives null. A task waits while one of its kind and key is being handled, so that
 * two handlers of one thing never run beside each other.
 */
export async function takeTask(tx: Queries, now: number, by: string): Promise<Task | null> {
  const due = await tx
    .selectFrom('tasks as t')
    .select('t.id')
    .where('t.takenAt', 'is', null)
    .where('t.runAt', '<=', now)
    .where(nobodyHandlesItsTwin)
    .orderBy('t.runAt')
    .orderBy('t.id')
    .limit(1)
    .executeTakeFirst()
  if (!due) return null
  const row = await tx
    .updateTable('tasks')
    .set((task) => ({ takenAt: now, takenBy: by, attempt: task('attempt', '+', 1) }))
    .where('id', '=', due.id)
    .where('takenAt', 'is', null)
    .returningAll()
    .executeTakeFirst()
  return row ? codec.fromRow(row) : null
}

/** The task is done. */
export async function finishTask(tx: Queries, taskId: string): Promise<void> {
  await tx.deleteFrom('tasks').where('id', '=', taskId).execute()
  noteChange(tx, { topic: 'task', id: taskId })
}

/**
 * The task is to be handled again at `nextRunAt`. Where a newer pending one of its kind and key has come meanwhile, that
 * one goes on alone (with the error and the number of attempts), at the earlier of the two times.
 */
export async function failTask(tx: Queries, taskId: string, error: string, nextRunAt: number): Promise<void> {
  const task = await tx.selectFrom('tasks').selectAll().where('id', '=', taskId).executeTakeFirst()
  if (!task) return
  await putBack(tx, task, error, nextRunAt)
}

/** After the clock was set back: what was due at once then would wait until the clock is there again, so it is due now. */
export async function hastenTasks(tx: Queries, now: number): Promise<void> {
  await tx.updateTable('tasks').set({ runAt: now }).where('takenAt', 'is', null).where('runAt', '>', now).execute()
  noteChange(tx, { topic: 'task', id: 'all' })
}

/** At start-up: puts back what servers had taken that are gone. What a server handles that is there stays its own. Returns how many. */
export async function releaseTakenTasks(tx: Queries): Promise<number> {
  const taken = await tx
    .selectFrom('tasks')
    .selectAll()
    .where('takenAt', 'is not', null)
    .where(isOfNobody)
    .orderBy('id')
    .execute()
  for (const task of taken) await putBack(tx, task, task.lastError, task.runAt)
  return taken.length
}

/**
 * When the next task that `takeTask` would give is due, in milliseconds since the epoch; null where none waits. One whose
 * twin is being handled does not count: `finishTask` and `failTask` tell a change.
 */
export async function nextTaskAt(db: Queries): Promise<number | null> {
  const row = await db
    .selectFrom('tasks as t')
    .select('t.runAt')
    .where('t.takenAt', 'is', null)
    .where(nobodyHandlesItsTwin)
    .orderBy('t.runAt')
    .limit(1)
    .executeTakeFirst()
  return row?.runAt ?? null
}

/** Why follow-up work about this thing was put off, and until when; null where all of it goes well. */
export async function whyPutOff(
  db: Queries,
  { key, kinds }: { key: string; kinds: readonly string[] },
): Promise<{ why: string; runAt: number } | null> {
  const row = await db
    .selectFrom('tasks')
    .select(['lastError', 'runAt'])
    .where('dedupeKey', '=', key)
    .where('kind', 'in', [...kinds])
    .where('lastError', 'is not', null)
    .orderBy('attempt', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row ? { why: row.lastError!, runAt: row.runAt } : null
}

function nobodyHandlesItsTwin(is: ExpressionBuilder<Database & { t: Database['tasks'] }, 't'>) {
  const twin = is
    .selectFrom('tasks as o')
    .select('o.id')
    .whereRef('o.kind', '=', 't.kind')
    .whereRef('o.dedupeKey', '=', 't.dedupeKey')
    .where('o.takenAt', 'is not', null)
  return is.not(is.exists(twin))
}

/** The embedded database knows no servers: whoever starts on it is alone. */
function isOfNobody(is: ExpressionBuilder<Database, 'tasks'>) {
  const owner = is.selectFrom('servers').select('servers.id').whereRef('servers.id', '=', 'tasks.takenBy')
  return is.not(is.exists(owner))
}

async function putBack(tx: Queries, task: Database['tasks'], lastError: string | null, runAt: number): Promise<void> {
  const newer = await tx
    .selectFrom('tasks')
    .select(['id', 'runAt'])
    .where('kind', '=', task.kind)
    .where('dedupeKey', '=', task.dedupeKey)
    .where('takenAt', 'is', null)
    .executeTakeFirst()
  if (newer) {
    await tx.deleteFrom('tasks').where('id', '=', task.id).execute()
    const merged = { lastError, attempt: task.attempt, runAt: Math.min(runAt, newer.runAt) }
    await tx.updateTable('tasks').set(merged).where('id', '=', newer.id).execute()
  } else {
    await tx
      .updateTable('tasks')
      .set({ takenAt: null, takenBy: null, lastError, runAt })
      .where('id', '=', task.id)
      .execute()
  }
  noteChange(tx, { topic: 'task', id: task.id })
}
