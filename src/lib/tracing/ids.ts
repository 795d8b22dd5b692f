import { createHash, randomBytes } from 'node:crypto'

/** Bytes of W3C Trace Context, as hex digits: 16 of a trace, 8 of a span. */
const TRACE_DIGITS = 32
const SPAN_DIGITS = 16

/**
 * Ids that are made of what they stand for: whoever knows the thing knows its trace, in every process, and nothing has to be
 * handed on or stored. The same thing told twice has the same ids.
 */
export const traceIdOf = (thing: string): string => hash(`trace ${thing}`).slice(0, TRACE_DIGITS)
export const spanIdOf = (thing: string): string => hash(`span ${thing}`).slice(0, SPAN_DIGITS)

/** The id of a span that stands for nothing that has a name. */
export const newSpanId = (): string => randomBytes(SPAN_DIGITS / 2).toString('hex')

/** A place in a trace. */
export interface TracePlace {
  traceId: string
  spanId: string
}

/** W3C `traceparent`: what follows belongs below this place. */
export const traceparentOf = ({ traceId, spanId }: TracePlace): string => `00-${traceId}-${spanId}-01`

/** Undefined of what is no `traceparent`. */
export function placeOf(traceparent: string | undefined): TracePlace | undefined {
  const [, traceId, spanId] = /^00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/.exec(traceparent ?? '') ?? []
  return traceId === undefined || spanId === undefined ? undefined : { traceId, spanId }
}

const hash = (text: string): string => createHash('sha256').update(text).digest('hex')
