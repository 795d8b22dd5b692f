import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'

/** A span as OTLP's JSON has it; what this project's tests look at. */
export interface ReceivedSpan {
  service: string
  traceId: string
  spanId: string
  parentSpanId: string | undefined
  name: string
  startedAt: number
  endedAt: number
  failed: boolean
  attributes: { [name: string]: unknown }
}

interface Attribute {
  key: string
  value: { stringValue?: string; intValue?: number | string; doubleValue?: number; boolValue?: boolean }
}

/** The receiving half of OTLP over HTTP with JSON. */
export interface Collector {
  address: string
  spans: ReceivedSpan[]
  /** Name → the points that came last. */
  metrics: Map<string, unknown[]>
  close(): Promise<void>
}

export async function openCollector(): Promise<Collector> {
  const spans: ReceivedSpan[] = []
  const metrics = new Map<string, unknown[]>()
  const server: Server = createServer((request, response) => {
    void json(request).then((body) => {
      if (request.url === '/v1/traces') spans.push(...spansIn(body as TraceBody))
      if (request.url === '/v1/metrics')
        for (const [name, points] of metricsIn(body as MetricBody)) metrics.set(name, points)
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    address: `http://127.0.0.1:${port}`,
    spans,
    metrics,
    close: () => new Promise((resolve) => server.close(() => resolve()).closeAllConnections()),
  }
}

interface TraceBody {
  resourceSpans: {
    resource: { attributes: Attribute[] }
    scopeSpans: {
      spans: {
        traceId: string
        spanId: string
        parentSpanId?: string
        name: string
        startTimeUnixNano: string
        endTimeUnixNano: string
        attributes: Attribute[]
        status: { code?: number }
      }[]
    }[]
  }[]
}

interface MetricBody {
  resourceMetrics: {
    scopeMetrics: { metrics: { name: string; [kind: string]: { dataPoints: unknown[] } | string }[] }[]
  }[]
}

function spansIn({ resourceSpans }: TraceBody): ReceivedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const service = String(valuesOf(resource.attributes)['service.name'])
    return scopeSpans.flatMap(({ spans }) =>
      spans.map((span) => ({
        service,
        traceId: span.traceId,
        spanId: span.spanId,
        parentSpanId: span.parentSpanId || undefined,
        name: span.name,
        startedAt: Number(BigInt(span.startTimeUnixNano) / 1_000_000n),
        endedAt: Number(BigInt(span.endTimeUnixNano) / 1_000_000n),
        failed: span.status.code === 2,
        attributes: valuesOf(span.attributes),
      })),
    )
  })
}

function metricsIn({ resourceMetrics }: MetricBody): [string, unknown[]][] {
  return resourceMetrics.flatMap(({ scopeMetrics }) =>
    scopeMetrics.flatMap(({ metrics }) =>
      metrics.map(({ name, ...kinds }): [string, unknown[]] => {
        const kind = Object.values(kinds).find((value) => typeof value === 'object')
        return [name, kind?.dataPoints ?? []]
      }),
    ),
  )
}

const valuesOf = (attributes: readonly Attribute[]): { [name: string]: unknown } =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]))
