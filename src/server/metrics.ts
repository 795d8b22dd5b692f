import type { FastifyInstance } from 'fastify'
import type { StackStatus } from '../store/stacks/stacks.ts'
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'

/**
 * The server's metrics. Labels are bounded by construction: route patterns, methods, states, kinds; never ids or
 * names of merge requests, whose series would pile up without end.
 */
export interface Metrics {
  registry: Registry
  workersConnected: Gauge
  eventStreams: Gauge
  gitRequests: Counter<'service' | 'outcome'>
  logins: Counter<'outcome'>
  runsEnded: Counter<'kind' | 'state'>
  runSeconds: Histogram<'kind'>
}

export function createMetrics(): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry, prefix: 'trueup_' })
  return {
    registry,
    workersConnected: new Gauge({
      name: 'trueup_workers_connected',
      help: 'Workers with an open channel to this server.',
      registers: [registry],
    }),
    eventStreams: new Gauge({
      name: 'trueup_event_streams',
      help: 'Open event streams.',
      registers: [registry],
    }),
    gitRequests: new Counter({
      name: 'trueup_git_requests_total',
      help: 'Git smart-HTTP exchanges by service and outcome.',
      labelNames: ['service', 'outcome'],
      registers: [registry],
    }),
    logins: new Counter({
      name: 'trueup_logins_total',
      help: 'Password logins by outcome.',
      labelNames: ['outcome'],
      registers: [registry],
    }),
    runsEnded: new Counter({
      name: 'trueup_runs_ended_total',
      help: 'Runs that have ended since the server started.',
      labelNames: ['kind', 'state'],
      registers: [registry],
    }),
    runSeconds: new Histogram({
      name: 'trueup_run_seconds',
      help: 'From the order of a run to its end, waiting for workers and people included.',
      labelNames: ['kind'],
      buckets: [1, 5, 15, 60, 300, 900, 3600, 14_400, 86_400],
      registers: [registry],
    }),
  }
}

/** Counts a run that has ended. */
export function countRun(
  { runsEnded, runSeconds }: Metrics,
  run: { kind: string; state: string; createdAt: number; finishedAt: number | null },
): void {
  runsEnded.inc({ kind: run.kind, state: run.state })
  if (run.finishedAt !== null) runSeconds.observe({ kind: run.kind }, (run.finishedAt - run.createdAt) / 1000)
}

interface Looks {
  status: StackStatus
  stacks: number
  checked: number
  unchecked: number
}

/** How the stacks are and how much of them the last looks saw; counted when somebody asks. */
export function measureStacks({ registry }: Metrics, count: () => Promise<Looks[]>): void {
  const resources = new Gauge({
    name: 'trueup_resources',
    help: 'Resources that the last look at each stack saw (checked), and those that it did not (unchecked).',
    labelNames: ['look'],
    registers: [registry],
  })
  const stacks: Gauge<'state'> = new Gauge({
    name: 'trueup_stacks',
    help: 'Stacks by state.',
    labelNames: ['state'],
    registers: [registry],
    async collect() {
      const rows = await count()
      stacks.reset()
      for (const row of rows) stacks.set({ state: row.status }, row.stacks)
      for (const look of ['checked', 'unchecked'] as const)
        resources.set(
          { look },
          rows.reduce((sum, row) => sum + row[look], 0),
        )
    },
  })
}

/** Times every request under its route pattern. */
export function measureRequests(app: FastifyInstance, metrics: Metrics): void {
  const seconds = new Histogram({
    name: 'trueup_http_request_seconds',
    help: 'Duration of HTTP requests.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    registers: [metrics.registry],
  })
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'unknown'
    seconds.observe({ method: request.method, route, status: String(reply.statusCode) }, reply.elapsedTime / 1000)
  })
}
