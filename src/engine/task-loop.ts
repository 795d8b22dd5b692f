import type { JsonObject } from '../lib/json.ts'
import { asTrueupError } from '../lib/errors/error.ts'
import { pause, pauseAfter } from '../lib/retry.ts'
import { failTask, finishTask, nextTaskAt, releaseTakenTasks, takeTask, type Task } from '../store/runs/tasks.ts'
import type { EngineParts } from './parts.ts'

/** Handles one kind of follow-up work. At least once, so it must find out itself what is already done. */
export type TaskHandler = (payload: JsonObject) => Promise<void>

export interface TaskLoop {
  /** Looks at once. Called after every commit that may have written tasks. */
  wake(): void
  /** Resolves when nothing is due and nothing is being handled. For tests and orderly shutdown. */
  idle(): Promise<void>
  stop(): Promise<void>
}

/** Tasks handled beside each other: they mostly wait for Git. */
const PARALLEL = 4
/** Between two attempts at one task. */
const TASK_PAUSES = { first: 2_000, longest: 5 * 60_000, factor: 3 }
/** While the database does not even take that something is put off. */
const STORE_PAUSES = { first: 1_000, longest: 1_000 }
/** How long the loop sleeps at most without being woken. */
const LONGEST_SLEEP_MS = 5_000

/** Starts handling the stored follow-up work; what a killed process had taken is handled again. */
export async function startTaskLoop(
  parts: Pick<EngineParts, 'store' | 'log'>,
  handlers: { readonly [kind: string]: TaskHandler },
): Promise<TaskLoop> {
  const { store, log } = parts
  await store.transaction((tx) => releaseTakenTasks(tx))
  let stopped = false
  let running = 0
  let timer: NodeJS.Timeout | null = null
  let looking = false
  let lookAgain = false
  const idleWaiters = new Set<() => void>()

  const wake = (): void => {
    if (stopped) return
    if (looking) {
      lookAgain = true
      return
    }
    if (timer) clearTimeout(timer)
    timer = null
    looking = true
    void look().finally(() => {
      looking = false
      if (lookAgain) {
        lookAgain = false
        wake()
      }
    })
  }

  async function look(): Promise<void> {
    try {
      while (!stopped && running < PARALLEL) {
        const task = await store.transaction((tx) => takeTask(tx, store.clock.now(), store.server))
        if (!task) break
        running += 1
        void handle(task).finally(() => {
          running -= 1
          wake()
        })
      }
      if (stopped) return
      const next = await nextTaskAt(store.db)
      const due = next === null ? Number.POSITIVE_INFINITY : next - store.clock.now()
      if (running === 0 && due > 0) for (const waiter of idleWaiters) waiter()
      timer = setTimeout(wake, Math.min(Math.max(due, 20), LONGEST_SLEEP_MS))
    } catch (error) {
      log.error({ err: error }, 'looking for follow-up work')
      if (!stopped) timer = setTimeout(wake, STORE_PAUSES.first)
    }
  }

  async function handle(task: Task): Promise<void> {
    try {
      const handler = handlers[task.kind]
      if (!handler) throw new Error(`no handler for tasks of kind "${task.kind}"`)
      await handler(task.payload)
      await store.transaction((tx) => finishTask(tx, task.id))
    } catch (thrown) {
      const error = asTrueupError(thrown, `handling follow-up work "${task.kind}"`)
      const delay = pauseAfter(task.attempt, TASK_PAUSES)
      log.error(
        { err: thrown, task: task.kind, key: task.dedupeKey, attempt: task.attempt, delay },
        'follow-up work is put off',
      )
      await putOff(task, error.message, delay)
    }
  }

  /** Tried until it succeeds (a full disk): a task that stays taken would be handled by nobody before the next start. */
  async function putOff(task: Task, why: string, delay: number): Promise<void> {
    for (let failures = 1; !stopped; failures++) {
      try {
        return await store.transaction((tx) => failTask(tx, task.id, why, store.clock.now() + delay))
      } catch (failure) {
        log.error({ err: failure, task: task.kind, key: task.dedupeKey }, 'putting off follow-up work')
        await pause(failures, STORE_PAUSES)
      }
    }
  }

  const unsubscribe = store.changes.subscribe((changes) => {
    if (changes.some((change) => change.topic === 'task')) wake()
  })
  wake()
  return {
    wake,
    idle: () =>
      new Promise((resolve) => {
        const waiter = (): void => {
          idleWaiters.delete(waiter)
          resolve()
        }
        idleWaiters.add(waiter)
        wake()
      }),
    async stop() {
      stopped = true
      unsubscribe()
      if (timer) clearTimeout(timer)
      while (looking || running > 0) await new Promise((resolve) => setTimeout(resolve, 5))
    },
  }
}
