import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, TraceFlags } from '@opentelemetry/api'
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { OTLPTraceExporter as ProtobufExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import {
  BatchSpanProcessor,
  ConsoleSpanExporter,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace'
import { VERSION } from '../version.ts'
import { resourceOf } from './resource.ts'
import { closeSoon } from './sending.ts'
import type { SignalSettings } from './settings.ts'
import type { EndedSpan, Tracing } from './span.ts'

/** Sends spans by OpenTelemetry's own exporters, in batches; `part` of all traces, from 0 to 1. */
export function exportSpans(service: string, settings: SignalSettings, part: number): Tracing {
  // A span is started and its id asked for in one go, so one place is enough.
  const next = { traceId: '', spanId: '' }
  const provider = new TracerProvider({
    resource: resourceOf(service),
    sampler: new TraceIdRatioBasedSampler(part),
    idGenerator: { generateTraceId: () => next.traceId, generateSpanId: () => next.spanId },
    spanProcessors: [new BatchSpanProcessor({ exporter: exporterOf(settings) })],
  })
  const tracer = provider.getTracer('trueup', VERSION)
  return {
    on: true,
    add({ traceId, spanId, parentId, name, startedAt, endedAt, attributes, error }: EndedSpan) {
      Object.assign(next, { traceId, spanId })
      const within =
        parentId === undefined
          ? ROOT_CONTEXT
          : trace.setSpanContext(ROOT_CONTEXT, {
              traceId,
              spanId: parentId,
              traceFlags: TraceFlags.SAMPLED,
              isRemote: true,
            })
      const span = tracer.startSpan(name, { kind: SpanKind.INTERNAL, startTime: startedAt, attributes }, within)
      if (error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: error })
      // A clock that was set back in the meantime makes no span that ends before it begins.
      span.end(Math.max(startedAt, endedAt))
    },
    close: () => closeSoon(() => provider.shutdown()),
  }
}

function exporterOf({ exporter, protocol }: SignalSettings): SpanExporter {
  if (exporter === 'console') return new ConsoleSpanExporter()
  return protocol === 'http/json' ? new JsonExporter() : new ProtobufExporter()
}
