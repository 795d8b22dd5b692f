import { OTLPMetricExporter as JsonExporter } from '@opentelemetry/exporter-metrics-otlp-http'
import { OTLPMetricExporter as ProtobufExporter } from '@opentelemetry/exporter-metrics-otlp-proto'
import {
  ConsoleMetricExporter,
  MeterProvider,
  type MetricProducer,
  PeriodicExportingMetricReader,
  type PushMetricExporter,
} from '@opentelemetry/sdk-metrics'
import type { Registry } from 'prom-client'
import { resourceOf } from '../../lib/tracing/resource.ts'
import { closeSoon } from '../../lib/tracing/sending.ts'
import type { SignalSettings } from '../../lib/tracing/settings.ts'
import { VERSION } from '../../lib/version.ts'
import { metricDataOf } from './metric-data.ts'

/** Sends metrics until it is closed. */
export interface MetricsExport {
  close(): Promise<void>
}

/** Milliseconds between two tellings, by the specification's default. */
const INTERVAL_MS = 60_000
/** One telling takes no longer than this. */
const TIMEOUT_MS = 5_000

/** OpenTelemetry's reader and exporters over the one registry that there is. */
export function pushMetrics(service: string, settings: SignalSettings, registry: Registry): MetricsExport {
  const startedAt = Date.now()
  const resource = resourceOf(service)
  const producer: MetricProducer = {
    async collect() {
      const metrics = metricDataOf(await registry.getMetricsAsJSON(), startedAt, Date.now())
      const scopeMetrics = [{ scope: { name: 'trueup', version: VERSION }, metrics }]
      return { resourceMetrics: { resource, scopeMetrics }, errors: [] }
    },
  }
  const exportIntervalMillis = Number(process.env.OTEL_METRIC_EXPORT_INTERVAL) || INTERVAL_MS
  const reader = new PeriodicExportingMetricReader({
    exporter: exporterOf(settings),
    exportIntervalMillis,
    exportTimeoutMillis: Math.min(exportIntervalMillis, TIMEOUT_MS),
    metricProducers: [producer],
  })
  const provider = new MeterProvider({ resource, readers: [reader] })
  return {
    close: () => closeSoon(() => provider.shutdown()),
  }
}

function exporterOf({ exporter, protocol }: SignalSettings): PushMetricExporter {
  if (exporter === 'console') return new ConsoleMetricExporter()
  return protocol === 'http/json' ? new JsonExporter() : new ProtobufExporter()
}
