import type { RunKind } from '../domain/runs/run.ts'
import { VERSION } from '../lib/version.ts'
import { type LocalAddress, METRICS_TYPE, serveLocally } from './local-server.ts'
import type { Logger } from './logging.ts'
import { one, series } from './metrics-text.ts'
import type { RunOutcome } from './runs/execute-run.ts'

/** How a worker stands at this moment. */
export interface Standing {
  kind: 'runner' | 'agent'
  slots: number
  /** Runs in its hands, and those of them that may be changing something. */
  runs: number
  applying: number
  /** Milliseconds without a connection; 0 while there is one. */
  awayMs: number
  /** False: its disks are full, and it takes no runs. */
  hasRoom: boolean
  watches: number
  /** Results on the disk that the server does not have yet. */
  undelivered: number
  /** By which its clock is ahead of the server's; null where nobody has said. */
  clockSkewMs: number | null
}

/** What a worker has done since it started, and how it stands. */
export interface Figures {
  runEnded(kind: RunKind, outcome: RunOutcome, seconds: number): void
  connected(): void
  text(standing: Standing): string
}

export function createFigures(): Figures {
  const ended = new Map<string, { labels: { kind: RunKind; outcome: RunOutcome }; count: number; seconds: number }>()
  let connections = 0
  return {
    connected() {
      connections++
    },
    runEnded(kind, outcome, seconds) {
      const labels = { kind, outcome }
      const { count = 0, seconds: before = 0 } = ended.get(`${kind} ${outcome}`) ?? {}
      ended.set(`${kind} ${outcome}`, { labels, count: count + 1, seconds: before + seconds })
    },
    text(now) {
      const { rss } = process.memoryUsage()
      const { user, system } = process.cpuUsage()
      const known = [...ended.values()]
      return [
        ...series('trueup_worker_info', 'gauge', 'Version and kind of this worker.', [
          [{ version: VERSION, kind: now.kind }, 1],
        ]),
        ...one('trueup_worker_connected', 'gauge', 'Whether it has a connection.', now.awayMs === 0 ? 1 : 0),
        ...one('trueup_worker_away_seconds', 'gauge', 'How long it has had none.', now.awayMs / 1000),
        ...one('trueup_worker_connections_total', 'counter', 'Connections that stood.', connections),
        ...one('trueup_worker_slots', 'gauge', 'Runs that it takes at a time.', now.slots),
        ...one('trueup_worker_runs', 'gauge', 'Runs that it has.', now.runs),
        ...one('trueup_worker_runs_applying', 'gauge', 'Those that may be changing something.', now.applying),
        ...series(
          'trueup_worker_runs_ended_total',
          'counter',
          'Runs that left it, by kind and outcome.',
          known.map(({ labels, count }) => [labels, count] as const),
        ),
        ...series(
          'trueup_worker_run_seconds_total',
          'counter',
          'Seconds that these took.',
          known.map(({ labels, seconds }) => [labels, seconds] as const),
        ),
        ...one('trueup_worker_watches', 'gauge', 'Stacks that it watches for live changes.', now.watches),
        ...one('trueup_worker_undelivered', 'gauge', 'Results and reports that wait for delivery.', now.undelivered),
        ...one('trueup_worker_has_room', 'gauge', '0: its disks are full and it takes no runs.', now.hasRoom ? 1 : 0),
        ...(now.clockSkewMs === null
          ? []
          : one(
              'trueup_worker_clock_skew_seconds',
              'gauge',
              "By which its clock is ahead of the server's.",
              now.clockSkewMs / 1000,
            )),
        ...one('trueup_worker_resident_bytes', 'gauge', 'Resident memory of the worker itself.', rss),
        ...one(
          'trueup_worker_cpu_seconds_total',
          'counter',
          'CPU time of the worker itself, without tools.',
          (user + system) / 1e6,
        ),
        '',
      ].join('\n')
    },
  }
}

/** Serves them at an address of this host. UNAVAILABLE where that cannot be had. */
export async function serveMetrics(
  address: LocalAddress,
  text: () => string,
  log: Logger,
): Promise<{ close(): Promise<void> }> {
  const served = await serveLocally(address, 'metrics', { '/metrics': () => ({ type: METRICS_TYPE, body: text() }) })
  log.info({ url: `${served.url}/metrics` }, 'metrics')
  return served
}
