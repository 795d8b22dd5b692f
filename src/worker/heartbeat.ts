import { uptime } from 'node:os'
import type { Link } from './connection/connect.ts'
import type { Logger } from './logging.ts'
import type { ActiveRun } from './runs/active-run.ts'

export interface HeartbeatOptions {
  link: Pick<Link, 'call'>
  runs: () => readonly ActiveRun[]
  log: Logger
}

export interface Heartbeat {
  /** A lease that was just granted, or confirmed by the server by other means. */
  started(run: ActiveRun): void
  close(): void
}

/** Renewed three times per lease, so that two lost heartbeats in a row do no harm. */
const PER_LEASE = 3
/** At this part of the lease without a renewal tools get SIGINT, at its end SIGKILL. */
const GIVE_UP_AT = 5 / 6

/**
 * Milliseconds since boot, time asleep included: a host that was suspended must know that its leases ran out, and a
 * changed wall clock must not end them.
 */
const now = (): number => uptime() * 1000

/**
 * Renews the leases of all runs, and stops those that could not be renewed in time: when a lease ends, another worker may
 * get the run, so no tool of this one may live on. A lease counts from when its renewal was *sent*.
 */
export function startHeartbeat({ link, runs, log }: HeartbeatOptions): Heartbeat {
  const renewedAt = new WeakMap<ActiveRun, number>()
  let timer: NodeJS.Timeout | undefined
  let beating = false
  let lastBeat = 0
  let closed = false

  function schedule(): void {
    if (closed || timer) return
    const shortest = Math.min(...runs().map(({ grant }) => grant.leaseMs))
    if (!Number.isFinite(shortest)) return
    timer = setTimeout(tick, Math.max(20, Math.min(1_000, shortest / 12)))
  }

  function tick(): void {
    timer = undefined
    const active = runs()
    for (const run of active) expire(run)
    const shortest = Math.min(...active.map(({ grant }) => grant.leaseMs))
    if (!beating && now() - lastBeat >= shortest / PER_LEASE) void beat(active)
    schedule()
  }

  function expire(run: ActiveRun): void {
    const age = now() - (renewedAt.get(run) ?? 0)
    if (age < run.grant.leaseMs * GIVE_UP_AT) return
    if (!run.stopped) log.error({ runId: run.grant.runId, ageMs: Math.round(age) }, 'lease not renewed, run stopped')
    run.stop({ kind: 'lease_lost', why: 'the server could not be reached for the length of the lease' })
    if (age >= run.grant.leaseMs) run.kill()
  }

  async function beat(active: readonly ActiveRun[]): Promise<void> {
    beating = true
    const sentAt = now()
    lastBeat = sentAt
    try {
      const held = active.map(({ grant: { runId, fence } }) => ({ runId, fence }))
      const news = await link.call('heartbeat', { runs: held })
      for (const run of active) {
        const { runId } = run.grant
        if (news.lost.includes(runId)) run.stop({ kind: 'lease_lost', why: 'the server has given the run away' })
        else renewedAt.set(run, sentAt)
        if (news.cancel.includes(runId)) run.stop({ kind: 'canceled', why: 'it was canceled' })
        if (news.replaced?.includes(runId)) run.replace()
      }
    } catch (thrown) {
      log.debug({ err: thrown }, 'heartbeat not answered')
    } finally {
      beating = false
    }
  }

  return {
    started(run) {
      renewedAt.set(run, now())
      schedule()
    },
    close() {
      closed = true
      clearTimeout(timer)
    },
  }
}
