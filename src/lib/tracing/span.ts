import type { TracePlace } from './ids.ts'

/** One piece of work that is over. */
export interface EndedSpan extends TracePlace {
  /** Absent: it is the first of its trace. */
  parentId?: string
  name: string
  /** Milliseconds since the epoch. */
  startedAt: number
  endedAt: number
  attributes: { [name: string]: string | number | boolean }
  /** Why it did not work. */
  error?: string
}

/** Where spans go. */
export interface Tracing {
  /** False: nobody wants any, and they need not be made. */
  readonly on: boolean
  /** Takes a span; it is sent later, and lost where the collector stays away. */
  add(span: EndedSpan): void
  /** Sends what is left, for some seconds at most. */
  close(): Promise<void>
}

export const noTracing: Tracing = { on: false, add() {}, close: async () => {} }
