import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { expect, it } from 'vitest'
import { metricDataOf } from './metric-data.ts'

it('tells counters, gauges and histograms as OpenTelemetry has them', async () => {
  const registry = new Registry()
  const registers = [registry]
  new Counter({ name: 'ended_total', help: 'h', labelNames: ['kind'], registers }).inc({ kind: 'deploy' }, 3)
  new Gauge({ name: 'open', help: 'h', registers }).set(-2)
  const seconds = new Histogram({ name: 'seconds', help: 'h', labelNames: ['kind'], buckets: [1, 5], registers })
  for (const value of [0.5, 0.5, 3, 70]) seconds.observe({ kind: 'deploy' }, value)
  seconds.observe({ kind: 'drift' }, 4)

  const told = metricDataOf(await registry.getMetricsAsJSON(), 1_500, 61_250)
  const values = Object.fromEntries(
    told.map(({ descriptor, dataPoints }) => [
      descriptor.name,
      dataPoints.map(({ attributes, value }) => ({ ...attributes, value })),
    ]),
  )
  // Not cumulative over the buckets, as those of Prometheus are, and one more than there are boundaries.
  expect(values).toEqual({
    ended_total: [{ kind: 'deploy', value: 3 }],
    open: [{ value: -2 }],
    seconds: [
      { kind: 'deploy', value: { buckets: { boundaries: [1, 5], counts: [2, 1, 1] }, sum: 74, count: 4 } },
      { kind: 'drift', value: { buckets: { boundaries: [1, 5], counts: [0, 1, 0] }, sum: 4, count: 1 } },
    ],
  })
  expect(told[0]!.dataPoints[0]).toMatchObject({ startTime: [1, 500_000_000], endTime: [61, 250_000_000] })
})
