import { type HrTime, ValueType } from '@opentelemetry/api'
import {
  AggregationTemporality,
  type DataPoint,
  DataPointType,
  type Histogram,
  type MetricData,
} from '@opentelemetry/sdk-metrics'
import type { MetricObjectWithValues, MetricValue } from 'prom-client'

type Prom = MetricObjectWithValues<MetricValue<string>>
type Value = MetricValue<string> & { metricName?: string }

/** prom-client's metrics as those of OpenTelemetry, under the same names; times in milliseconds since the epoch. */
export function metricDataOf(metrics: readonly Prom[], startedAt: number, now: number): MetricData[] {
  const times = { startTime: hrTime(startedAt), endTime: hrTime(now) }
  return metrics.flatMap((metric): MetricData[] => {
    const descriptor = { name: metric.name, description: metric.help, unit: '', valueType: ValueType.DOUBLE }
    const common = { descriptor, aggregationTemporality: AggregationTemporality.CUMULATIVE }
    const points = metric.values.map(({ labels, value }) => ({ ...times, attributes: attributesOf(labels), value }))
    // prom-client's type says an enumeration, and what is there is a word.
    switch (String(metric.type)) {
      case 'counter':
        return [{ ...common, dataPointType: DataPointType.SUM, isMonotonic: true, dataPoints: points }]
      case 'gauge':
        return [{ ...common, dataPointType: DataPointType.GAUGE, dataPoints: points }]
      case 'histogram':
        return [{ ...common, dataPointType: DataPointType.HISTOGRAM, dataPoints: histograms(metric.values, times) }]
      default:
        return []
    }
  })
}

interface Series {
  attributes: { [name: string]: string }
  /** Upper bound → count of all that are no larger. */
  buckets: Map<number, number>
  sum: number
  count: number
}

/** Prometheus counts in each bucket what is in the smaller ones too, and OpenTelemetry does not. */
function histograms(
  values: readonly Value[],
  times: Pick<DataPoint<Histogram>, 'startTime' | 'endTime'>,
): DataPoint<Histogram>[] {
  const series = new Map<string, Series>()
  for (const { labels, value, metricName } of values) {
    const { le, ...rest } = labels as { [name: string]: string | number }
    const key = JSON.stringify(rest)
    const of = series.get(key) ?? { attributes: attributesOf(rest), buckets: new Map(), sum: 0, count: 0 }
    series.set(key, of)
    if (metricName?.endsWith('_sum')) of.sum = value
    else if (metricName?.endsWith('_count')) of.count = value
    else if (le !== undefined) of.buckets.set(le === '+Inf' ? Infinity : Number(le), value)
  }
  return [...series.values()].map(({ attributes, buckets, sum, count }) => {
    const bounds = [...buckets.keys()].filter(Number.isFinite).toSorted((a, b) => a - b)
    const upTo = [...bounds.map((bound) => buckets.get(bound) ?? 0), count]
    const counts = upTo.map((all, index) => all - (upTo[index - 1] ?? 0))
    return { ...times, attributes, value: { buckets: { boundaries: bounds, counts }, sum, count } }
  })
}

const attributesOf = (labels: object): { [name: string]: string } =>
  Object.fromEntries(Object.entries(labels).map(([name, value]) => [name, String(value)]))

const hrTime = (ms: number): HrTime => [Math.floor(ms / 1000), (ms % 1000) * 1_000_000]
