import { deleteHealsBefore } from '../store/stacks/drift.ts'
import { capLeases, expireLeases } from '../store/runs/lease.ts'
import { hastenRuns, poolsWithRunsDue } from '../store/runs/search.ts'
import { hastenDriftChecks } from '../store/stacks/stacks.ts'
import { hastenTasks } from '../store/runs/tasks.ts'
import { serveMended } from './changes/ref-sync.ts'
import { beginAgain } from './deploy/begin-again.ts'
import { recordBroken } from './deploy/record.ts'
import { scheduleDrift } from './drift/schedule.ts'
import type { EngineParts } from './parts.ts'
import { makeWay } from './runs/make-way.ts'
import { orderLooks } from './connections/looks.ts'
import { reviewHeldRuns } from './stacks/held.ts'
import { followUpRun } from './run-tasks.ts'
import { refreshStack } from './stacks/status.ts'
import { appliedOf } from './applied.ts'

/** How often leases and drift clocks are looked at. */
const TICK_MS = 500
const HEALS_KEPT_MS = 24 * 60 * 60_000
const FORGET_HEALS_EVERY_MS = 60 * 60_000

/** A repository that somebody mends by hand is not waited for by the second. */
const LOOK_AT_DAMAGED_EVERY_MS = 5_000

/** Smaller steps back are the daily work of a time service, and do no harm. */
const SET_BACK_MS = 1_000

/** Does what is due by time alone. A round that takes longer than the time between two delays the next. */
export function startClock(parts: EngineParts, pushSpool: string): { stop(): Promise<void> } {
  const { store } = parts
  let lookedAt = store.clock.now()
  let forgotAt = 0
  let damagedAt = performance.now()
  let stopped = false
  let round: Promise<void> | null = null

  const tick = async (): Promise<void> => {
    try {
      const now = store.clock.now()
      if (now < lookedAt - SET_BACK_MS) await clockWasSetBack(parts, lookedAt - now)
      await takeBackLeases(parts)
      await scheduleDrift(parts)
      await reviewHeldRuns(parts)
      await makeWay(parts)
      await orderLooks(parts)
      for (const pool of await poolsWithRunsDue(store.db, lookedAt, now)) parts.hub.announceWork(pool)
      lookedAt = now
      if (performance.now() - damagedAt >= LOOK_AT_DAMAGED_EVERY_MS) {
        damagedAt = performance.now()
        await serveMended(parts, pushSpool)
      }
      if (now - forgotAt >= FORGET_HEALS_EVERY_MS) {
        await store.transaction((tx) => deleteHealsBefore(tx, now - HEALS_KEPT_MS))
        forgotAt = now
      }
    } catch (error) {
      parts.log.error({ err: error }, 'a round of the clock')
    }
  }
  const timer = setInterval(() => {
    if (!stopped) round ??= tick().finally(() => (round = null))
  }, TICK_MS)
  return {
    async stop() {
      stopped = true
      clearInterval(timer)
      await round
    },
  }
}

/** Times that were written before a step back must not hold up leases, runs, drift checks and follow-up work for its length. */
export async function clockWasSetBack({ store, settings, log }: EngineParts, byMs: number): Promise<void> {
  const now = store.clock.now()
  log.warn({ now, byMs }, 'the clock of this machine was set back')
  await store.transaction(async (tx) => {
    await capLeases(tx, now + settings.leaseMs)
    await hastenTasks(tx, now)
    await hastenRuns(tx, now)
    await hastenDriftChecks(tx, byMs)
  })
}

/** Ends the leases of workers that were not heard of; a lost apply leaves its stack broken until somebody or a retry mends it. */
export async function takeBackLeases(parts: EngineParts): Promise<void> {
  await parts.store.transaction(async (tx) => {
    for (const { run } of await expireLeases(tx, parts.store.clock.now())) {
      if (run.state === 'lost') {
        await recordBroken(tx, run, appliedOf(run))
        await beginAgain(tx, run, 'previous_attempt_lost')
      }
      if (run.finishedAt !== null) await followUpRun(tx, run)
      await refreshStack(tx, run.stackId)
    }
  })
}
