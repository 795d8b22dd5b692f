import { spanIdOf, traceIdOf, type TracePlace } from '../lib/tracing/ids.ts'

/**
 * Where things stand in traces. A merge request is one trace, from its first push to the last run that its merge caused; a run
 * of no merge request (a drift check, a heal) is one of its own.
 */
export const placeOfMergeRequest = (mrId: string): TracePlace => ({
  traceId: traceIdOf(`mr ${mrId}`),
  spanId: spanIdOf(`mr ${mrId}`),
})

export const placeOfRun = (run: { id: string; mrId: string | null }): TracePlace => ({
  traceId: run.mrId === null ? traceIdOf(`run ${run.id}`) : traceIdOf(`mr ${run.mrId}`),
  spanId: spanIdOf(`run ${run.id}`),
})

/** Something that befell a merge request: its number in the audit chain is its name. */
export const placeOfEvent = (mrId: string, seq: number): TracePlace => ({
  traceId: traceIdOf(`mr ${mrId}`),
  spanId: spanIdOf(`event ${seq}`),
})
